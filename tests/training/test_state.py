"""The position in a training, as JSON and from one epoch to the next."""

from dataclasses import asdict, replace
from typing import Any

import pytest

from numpycnn.training.state import Mean, TrainingState

SUMS = {"loss": [[12.5, 16.0], [1.0, 16.0]], "accuracy": [[9.0, 14.0]]}
PLACE = TrainingState(epoch=3, batch=2, batch_size=8, examples=20, sums=SUMS, seen=16, lr=0.1)


def test_a_position_survives_json() -> None:
    assert TrainingState.from_json(PLACE.to_json()) == PLACE
    assert TrainingState.from_json(TrainingState().to_json()) == TrainingState()
    last = replace(PLACE, batch=3, seen=20)
    assert TrainingState.from_json(last.to_json()) == last


@pytest.mark.parametrize("labelled", [True, False])
def test_a_position_of_an_earlier_version(labelled: bool) -> None:
    earlier = PLACE.to_json() | {"loss_sum": 12.5, "correct": 9, "labelled": labelled}
    for name in ("sums", "drop_last", "accumulate", "validation"):
        del earlier[name]
    sums = {"loss": [[12.5, 16.0]]} | ({"accuracy": [[9.0, 16.0]]} if labelled else {})
    assert TrainingState.from_json(earlier) == replace(PLACE, sums=sums)
    between = PLACE.to_json() | {"sums": {"loss": 12.5, "accuracy": 9.0}}
    place = TrainingState.from_json(between)
    place.add({"loss": Mean(3.0, [(20.0, 10.0), (4.0, 4.0)]), "accuracy": Mean(1.0, [(2.0, 2.0)])}, 4)
    assert place.averages() == {"loss": (12.5 + 4 * 3.0) / 20, "accuracy": 11 / 18}


def test_the_averages_weight_batches_by_their_examples() -> None:
    place = TrainingState()
    place.add({"loss": 1.0, "other": 5}, 3)
    place.add({"loss": 3.0, "other": 5}, 1)
    assert place.averages() == {"loss": 1.5, "other": 5.0}
    assert place.seen == 4


def test_the_averages_weight_the_means_of_a_sum_by_their_own_weights() -> None:
    place = TrainingState()
    place.add({"loss": Mean(4.0, [(2.0, 1.0), (6.0, 3.0)])}, 3)
    place.add({"loss": Mean(5.0, [(0.0, 0.0), (5.0, 1.0)])}, 1)
    assert place.sums == {"loss": [[2.0, 1.0], [11.0, 4.0]]}
    assert place.averages() == {"loss": 2.0 + 11.0 / 4}
    nothing = TrainingState()
    nothing.add({"loss": Mean(0.0, [(0.0, 0.0)])}, 3)
    assert nothing.averages() == {"loss": 0.0}


def test_names_that_a_step_may_not_return() -> None:
    place = TrainingState()
    for name in ("epoch", "seconds", "val_loss"):
        with pytest.raises(ValueError, match=f"train_step: expected another name than '{name}', which a record has"):
            place.add({name: 1.0}, 3)
    place.add({"loss": 1.0}, 3)
    with pytest.raises(ValueError, match="train_step: expected loss as for the batches before, got other"):
        place.add({"other": 1.0}, 3)


def test_the_next_epoch_keeps_only_the_data() -> None:
    place = replace(PLACE, shuffle=False, stop_reason="enough")
    assert place.next_epoch() == TrainingState(epoch=4, batch_size=8, examples=20, shuffle=False, stop_reason="enough")


def test_the_start() -> None:
    assert TrainingState().at_start
    assert not replace(TrainingState(), batch=1).at_start
    assert not replace(TrainingState(), epoch=1).at_start


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"batch": True}, "expected batch of the place in the training as int, got True"),
        ({"batch": 2.0}, "expected batch of the place in the training as int, got 2.0"),
        ({"lr": "0.1"}, "expected lr of the place in the training as float, got '0.1'"),
        ({"sums": None}, "expected sums of the place in the training as dict, got None"),
        ({"sums": {"loss": "1"}}, "expected the sums of the place in the training as numbers, got {'loss': '1'}"),
        ({"sums": {"loss": float("nan")}}, "expected the sums of the place in the training as numbers"),
        ({"sums": {"loss": [[1.0, float("inf")]]}}, "expected the sums of the place in the training as numbers"),
        ({"sums": {"loss": [[1.0]]}}, "expected the sums of the place in the training as numbers"),
        ({"sums": {"loss": [1.0, 2.0]}}, "expected the sums of the place in the training as numbers"),
        ({"sums": {"loss": [["1", 2.0]]}}, "expected the sums of the place in the training as numbers"),
        ({"validation": 1}, "expected validation of the place in the training as float, got 1"),
        ({"accumulate": 2}, "got 16 of 20 examples seen after 2 batches of 16"),
        ({"stop_reason": 0}, "expected stop_reason of the place in the training as str, got 0"),
        ({"accumulate": -1}, "expected accumulate of the place in the training as int, got -1"),
        ({"more": 1}, "expected a place in the training with epoch, batch, batch_size"),
        ({"seen": 15}, "got 15 of 20 examples seen after 2 batches of 8"),
        ({"batch": 3, "seen": 20, "drop_last": True}, "got 20 of 20 examples seen after 3 batches of 8"),
        ({"drop_last": 0}, "expected drop_last of the place in the training as bool, got 0"),
        ({"batch": 3}, "got 16 of 20 examples seen after 3 batches of 8"),
        ({"batch": 0}, "got 16 of 20 examples seen after 0 batches of 8"),
        ({"seen": 0, "batch_size": 0}, "got 0 of 20 examples seen after 2 batches of 0"),
    ],
)
def test_an_impossible_position_is_refused(changed: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        TrainingState.from_json(asdict(PLACE) | changed)


def test_the_examples_held_out_stay_the_same() -> None:
    place = TrainingState(epoch=2, examples=90, batch_size=8, validation=0.1)
    place.check_next(replace(place, batch_size=16))
    place.check_next(replace(place, validation=0.0, examples=100))
    for now in (replace(place, validation=0.2, examples=80), replace(place, examples=91)):
        with pytest.raises(ValueError, match="the examples held out would have been trained on; before there were 90"):
            place.check_next(now)
    TrainingState(validation=0.1).check_next(place)


def test_a_mean_of_another_number_of_sums_is_refused() -> None:
    place = TrainingState()
    place.add({"loss": Mean(3.0, [(2.0, 2.0), (4.0, 2.0)])}, 2)
    with pytest.raises(ValueError, match=r"^train_step: expected 2 sums for loss as for the batches before$"):
        place.add({"loss": 3.0}, 2)

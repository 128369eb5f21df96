import csv
import os
from pathlib import Path

import pytest

from numpycnn.training import History
from numpycnn.training.history import write_csv

RECORDS = [
    {"epoch": 1, "loss": 0.1 + 0.2, "lr": 1e-17},
    {"epoch": 2, "loss": 2.0, "lr": 0.1, "val_loss": 1 / 3},
]


def test_columns_rows_and_length() -> None:
    history = History(RECORDS)
    assert history["loss"] == [0.1 + 0.2, 2.0]
    assert history["val_loss"] == [1 / 3]
    assert history.names() == ["epoch", "loss", "lr", "val_loss"]
    assert len(history) == 2
    assert list(history) == RECORDS
    assert repr(history) == "History(2 epochs: epoch, loss, lr, val_loss)"


def test_a_history_keeps_its_own_list() -> None:
    records = list(RECORDS)
    history = History(records)
    records.clear()
    assert len(history) == 2
    assert History().records is not History().records


@pytest.mark.parametrize(
    ("records", "known"), [(RECORDS, "there is epoch, loss, lr, val_loss"), ([], "there is nothing yet")]
)
def test_an_unmeasured_quantity_is_named(records: list[dict[str, float]], known: str) -> None:
    with pytest.raises(KeyError, match=f"accuracy was not measured; {known}"):
        History(records)["accuracy"]


def test_csv_round_trip(tmp_path: Path) -> None:
    History(RECORDS).save(tmp_path / "history.csv")
    with open(tmp_path / "history.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["val_loss"] == ""
    again = [{name: float(text) for name, text in row.items() if text} for row in rows]
    assert again == RECORDS  # every bit of every number
    assert os.listdir(tmp_path) == ["history.csv"]


def test_csv_of_nothing_is_an_empty_line(tmp_path: Path) -> None:
    History().save(tmp_path / "history.csv")
    assert (tmp_path / "history.csv").read_text() == "\n"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    History(RECORDS).save(tmp_path / "history.csv")
    before = (tmp_path / "history.csv").read_bytes()
    with pytest.raises(ValueError, match="dict contains fields not in fieldnames: 'loss'"):
        write_csv(tmp_path / "history.csv", ("epoch",), [{"epoch": 1}, {"loss": 1}])
    assert (tmp_path / "history.csv").read_bytes() == before
    assert os.listdir(tmp_path) == ["history.csv"]

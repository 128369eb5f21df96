"""An error names a setting as a Python argument."""

from pathlib import Path

import pytest

from numpycnn.recipes.errors import Setting, SettingError, as_setting_error, spell_path


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (Setting("epochs", 3), "epochs=3"),
        (Setting("model", "mlp"), "model='mlp'"),
        (Setting("size", (48, 64)), "size=(48, 64)"),
        (Setting("out", Path("a/b")), "out='a/b'"),
        (Setting("force", True), "force=True"),
        (Setting("data"), "data="),
    ],
)
def test_settings_are_keyword_arguments(setting: Setting, text: str) -> None:
    error = SettingError("x: ", setting, " is wrong")
    assert isinstance(error, ValueError)
    assert str(error) == f"x: {text} is wrong"


def test_a_value_error_is_given_a_prefix() -> None:
    with pytest.raises(SettingError, match=r"^epochs=3: too many$"), as_setting_error(Setting("epochs", 3), ": "):
        raise ValueError("too many")
    with pytest.raises(SettingError, match=r"^as it is$"), as_setting_error("prefix: "):
        raise SettingError("as it is")
    with pytest.raises(KeyError), as_setting_error():
        raise KeyError("k")


def test_paths_stay_on_their_line() -> None:
    assert spell_path("a b/ü.png") == "a b/ü.png"
    assert spell_path("a\nb\x1b[31m") == r"'a\nb\x1b[31m'"

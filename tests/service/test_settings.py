"""Settings: read once, from the environment, with words for what cannot be."""

import dataclasses

import pytest

from service.settings import Settings, SettingsError, as_table


def test_nothing_set_is_the_defaults() -> None:
    """An empty environment, or empty variables, give what the table says."""
    assert Settings.from_environment({}) == Settings()
    empty = {field.name.upper(): "" for field in dataclasses.fields(Settings)}
    assert Settings.from_environment(empty) == Settings()


def test_each_setting_has_its_variable() -> None:
    """What is set is read, as the kind that it is."""
    read = Settings.from_environment(
        {"PORT": "0", "REQUEST_TIMEOUT": "2.5", "DATABASE_URL": "postgresql:///x", "OTHER": "1"}
    )
    assert (read.port, read.request_timeout, read.database_url) == (0, 2.5, "postgresql:///x")


@pytest.mark.parametrize(
    "name, text",
    [
        ("PORT", "http"),
        ("PORT", "-1"),
        ("WORKERS", "1.5"),
        ("POOL_SIZE", "0"),
        ("REQUEST_TIMEOUT", "0"),
        ("REQUEST_TIMEOUT", "nan"),
        ("MAX_BODY", "1"),
        ("WRITES_PER_MINUTE", "-5"),
        ("TRUSTED_PROXIES", "-1"),
        ("LOG_LEVEL", "verbose"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_what_cannot_be_is_named(name: str, text: str) -> None:
    """The message names the variable and what is in it."""
    with pytest.raises(SettingsError, match=f"{name}='{text}'"):
        Settings.from_environment({name: text})


def test_settings_do_not_change() -> None:
    """They are read at start, and the same from then on."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().port = 1  # type: ignore[misc]


def test_the_table_has_each_setting_with_its_meaning() -> None:
    """Every field is a line of the table, and no meaning is empty or lacks its full stop."""
    lines = as_table().splitlines()[2:]
    fields = dataclasses.fields(Settings)
    assert [line.split("`")[1] for line in lines] == [field.name.upper() for field in fields]
    assert all(field.metadata["meaning"].endswith(".") for field in fields)

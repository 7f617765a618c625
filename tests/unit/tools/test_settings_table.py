"""docs/settings.md, as whoever runs the product reads it."""

from tools import settings_table


def test_every_setting_says_what_it_means() -> None:
    silent = list(settings_table.undescribed())
    assert not silent, f"give these a description in their settings.py: {silent}"


def test_every_duration_ends_in_its_unit() -> None:
    assert not list(settings_table.without_unit())


def test_no_default_that_is_secret_is_told_and_what_is_required_is_marked() -> None:
    page = settings_table.page()
    assert "| `SCHEDULING_LINK_KEYS` | JSON object | **required** |" in page
    assert "| `NOTIFICATION_SMTP_PASSWORD` | secret | none |" in page
    assert "whole number from 1 to 65535 | `8401`" in page

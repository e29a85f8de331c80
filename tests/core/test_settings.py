"""Settings come from stored values, which are strings on a site."""

from khalifa_whatsapp.core.settings import Settings


def test_a_fraction_of_a_minute_is_kept_and_an_empty_value_keeps_its_default():
	settings = Settings.from_row(
		{"delay_minutes": "2.5", "default_capacity": "4", "warn_percent": "", "unknown": 1}
	)
	assert (settings.delay_minutes, settings.default_capacity, settings.warn_percent) == (2.5, 4, 70)


def test_a_whole_number_stored_as_a_fraction_is_whole():
	assert Settings.from_row({"reopen_window_hours": "24.0"}).reopen_window_hours == 24

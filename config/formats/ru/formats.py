"""Russian moments where Django writes them by itself: with their zone, which nobody could tell."""

DATETIME_FORMAT = "j E Y г., G:i e"
SHORT_DATETIME_FORMAT = "d.m.Y, G:i e"

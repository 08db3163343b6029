"""Russian instants where Django formats them itself: with their zone; nobody could guess it."""

DATETIME_FORMAT = "j E Y г., G:i e"
SHORT_DATETIME_FORMAT = "d.m.Y, G:i e"

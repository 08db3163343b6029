"""What is shown before a booking: what is free and when, what was asked for, what else to try."""

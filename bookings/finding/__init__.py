"""What is shown before a booking: what is free and when, what was searched, what else to try."""

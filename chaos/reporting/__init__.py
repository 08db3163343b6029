"""What a run came to: measured, drawn and told."""

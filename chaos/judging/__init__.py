"""What a run is judged by. Nothing here knows the application."""

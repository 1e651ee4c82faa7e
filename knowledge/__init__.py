"""What Fawen knows, how it decides, and all that is stored; it knows no channel and no screen."""

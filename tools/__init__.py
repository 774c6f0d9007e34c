"""Scripts for the people who work on this repository; nothing of it is installed."""

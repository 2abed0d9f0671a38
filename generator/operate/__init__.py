"""Operating what is deployed: filling in history, comparing with raw events, telling its state."""

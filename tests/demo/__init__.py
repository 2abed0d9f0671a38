"""The demo, and the embedded server that it runs on."""

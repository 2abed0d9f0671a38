"""What is not a test: databases, writers, judges and damages that tests share."""

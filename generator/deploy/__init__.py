"""Deploying and undeploying: what a database holds, what is to change, and changing it."""

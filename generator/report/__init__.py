"""Reports: figures asked of the database, and the page that shows them."""

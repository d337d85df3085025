"""The CRM's twin: contacts, the calls recorded to them, and the search."""

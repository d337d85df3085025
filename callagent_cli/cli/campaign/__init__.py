"""The commands about a campaign that was begun: how it stands, what it gave, what to do next."""

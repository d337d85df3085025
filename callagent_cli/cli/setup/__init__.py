"""The commands before and around a campaign: init, config, doctor, sandbox, help."""

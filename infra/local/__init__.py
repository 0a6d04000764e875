"""The emulated AWS account: start it, deploy the template into it, register devices with it."""

"""The world: one adapter per port and technology. An AWS type never leaves its adapter."""

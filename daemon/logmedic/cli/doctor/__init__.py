"""What must be well for the daemon to do its job: one module a topic, facts gathered apart from what they mean."""

from logmedic.cli.doctor.command import doctor_command

__all__ = ["doctor_command"]

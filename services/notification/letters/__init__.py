"""What the patient reads: mail, SMS and calendar file, from the letter as it is stored."""

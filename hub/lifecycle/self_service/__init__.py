"""What an applicant does without an account: by a certificate's id and its passphrase."""

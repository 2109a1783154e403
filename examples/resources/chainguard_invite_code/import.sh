# By the UIDP of the invite, which `chainctl iam invites list` shows. The code is neither needed nor read.
terraform import chainguard_invite_code.kim 1ad9c4f2b7e05836a41c9d7e2f80b3561c74e9da/5f0e2c9b7a41d386

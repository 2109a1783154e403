# A code that outlives the run, in a secret store and nowhere else. That of a plan is revoked at the plan's end.
ephemeral "chainguard_invite_code" "kim" {
  group           = "acme.example"
  role            = "viewer"
  email           = "kim@acme.example"
  ttl             = "2d"
  revoke_on_close = !terraform.applying
}

resource "aws_secretsmanager_secret" "invite" {
  name = "invite-of-kim"
}

# A write-only argument needs Terraform 1.11 or OpenTofu 1.11. Another version has it take the code of the next apply.
resource "aws_secretsmanager_secret_version" "invite" {
  secret_id                = aws_secretsmanager_secret.invite.id
  secret_string_wo         = ephemeral.chainguard_invite_code.kim.code
  secret_string_wo_version = 1
}

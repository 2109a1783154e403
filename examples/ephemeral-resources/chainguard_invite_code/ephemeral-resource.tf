# A code for this run: it is in no file, and is revoked as soon as the runner below, which needs chainctl, is done with it.
ephemeral "chainguard_invite_code" "runner" {
  group      = "acme.example/platform"
  role       = "registry.pull"
  ttl        = "15m"
  single_use = true
}

resource "terraform_data" "runner" {
  provisioner "local-exec" {
    command     = "chainctl auth login --invite-code \"$INVITE_CODE\""
    environment = { INVITE_CODE = ephemeral.chainguard_invite_code.runner.code }
  }
}

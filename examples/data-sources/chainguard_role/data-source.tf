# A custom role of the organization. Without `group`, any role of that name that you can see.
data "chainguard_role" "inviter" {
  name  = "invite-manager"
  group = "acme.example"
}

check "inviter" {
  assert {
    condition     = contains(data.chainguard_role.inviter.capabilities, "group_invites.create")
    error_message = "The role ${data.chainguard_role.inviter.name} may not make invites."
  }
}

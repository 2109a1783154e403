terraform {
  required_providers {
    chainguard = {
      source = "chainguard-invites/chainguard"
    }
  }
}

locals {
  people = { for person in csvdecode(file("${path.module}/people.csv")) : lower(person.email) => person }
}

# One code for each line of people.csv, for that address only, and for a single use.
resource "chainguard_invite_code" "person" {
  for_each = local.people

  group      = "acme.example"
  role       = each.value.role
  email      = each.key
  ttl        = "7d"
  single_use = true
}

# `terraform output -json codes` prints them.
output "codes" {
  description = "The invite code of each person, by address."
  value       = { for email, invite in chainguard_invite_code.person : email => invite.code }
  sensitive   = true
}

output "joined" {
  description = "Whose invite is gone, which mostly means that they have redeemed it."
  value       = [for email, invite in chainguard_invite_code.person : email if invite.status == "consumed"]
}

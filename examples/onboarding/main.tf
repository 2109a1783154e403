terraform {
  required_providers {
    chainguard = {
      source  = "chainguard-invites/chainguard"
      version = "~> 0.1"
    }
  }
}

locals {
  # A spreadsheet may write a byte order mark, or semicolons in place of commas.
  csv    = replace(trimprefix(file("${path.module}/people.csv"), "\ufeff"), ";", ",")
  people = { for person in csvdecode(local.csv) : lower(trimspace(person.email)) => trimspace(person.role) }
}

# One single-use code for each line of people.csv, for that address only.
resource "chainguard_invite_code" "person" {
  for_each = local.people

  group      = "acme.example"
  role       = each.value
  email      = each.key
  ttl        = "7d"
  single_use = true
}

# `terraform output -json codes` prints them.
output "codes" {
  description = "The invite code of each person, by email address."
  value       = { for email, invite in chainguard_invite_code.person : email => invite.code }
  sensitive   = true
}

output "joined" {
  description = "People whose invite no longer exists, in general because they have accepted it."
  value       = [for email, invite in chainguard_invite_code.person : email if invite.status == "consumed"]
}

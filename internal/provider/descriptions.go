package provider

// These are descriptions of attributes that several schemas share.
const (
	groupForms = "a name, a path of names from the organization down (`acme.example/platform`), or a UIDP"

	groupDescription = "Group that the invitee joins: " + groupForms + ". Defaults to the provider's `group`."
	roleDescription  = "Role that the invitee gets in the group: a name, such as `viewer`, or a UIDP. Custom roles of the group and of " +
		"the groups above it are supported. Exactly one of `role` and `cluster` must be set."
	clusterDescription = "Set to `true` to use the platform's default role for clusters instead of `role`. The platform may no longer " +
		"have this role, in which case the plan fails with an error. Defaults to `false`. Conflicts with `role`."
	ttlUnits             = "Supported units are `s`, `m`, `h`, `d` and `w`"
	emailDescription     = "Email address that is allowed to accept the invite. If unset, anyone with the code can accept it."
	singleUseDescription = "Whether the code can be accepted only once, after which the platform deletes the invite. Defaults to `false`."

	changedPolicyDescription = "Changing this only updates the state, unless the change makes the existing invite code due for replacement."

	inviteIDDescription  = "UIDP of the invite."
	groupIDDescription   = "UIDP of the group."
	roleIDDescription    = "UIDP of the role."
	roleNameDescription  = "Name of the role. Null if the role has been deleted."
	codeDescription      = "Invite code. Anyone who has it can accept the invite, for example with `chainctl auth login --invite-code`, unless `email` is set."
	createdAtDescription = "Creation time of the invite, in RFC 3339 format (UTC)."
	expiresAtDescription = "Expiration time of the invite, in RFC 3339 format (UTC)."

	searchGroupDescription = "Group whose invites are listed: " + groupForms + ". Defaults to the provider's `group`. With neither, the " +
		"invites of all visible groups are listed."
	searchRecursiveDescription      = "Whether to include the invites of the groups below `group`. Defaults to `false`."
	searchEmailDescription          = "Only invites that are restricted to this email address. Case-insensitive."
	searchRoleDescription           = "Only invites with this role: a name, such as `viewer`, or a UIDP."
	searchSingleUseDescription      = "Only invites that can be accepted once (`true`), or only invites that can be accepted repeatedly (`false`)."
	searchIncludeExpiredDescription = "Whether to include expired invites that the platform still lists. Defaults to `false`."
)

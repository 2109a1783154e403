package emulator

import (
	"cmp"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"chainguard.dev/sdk/proto/capabilities"
	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"chainguard.dev/sdk/uidp"
)

// Seed is what a platform holds at its start. The UIDPs of all but invites follow from the names, so they are the same
// every time.
type Seed struct {
	// Organizations are the root groups, and what is in them.
	Organizations []SeedGroup `yaml:"organizations"`
	// Roles are managed roles beside those that the platform always has.
	Roles []SeedRole `yaml:"roles"`
	// Identities are who can call the API. The one named "admin", or else the first, is the one that AdminToken is for.
	Identities []SeedIdentity `yaml:"identities"`
	// Invites are invites that are there already.
	Invites []SeedInvite `yaml:"invites"`
	// MaxInviteTTL is the longest that an invite may live; a year if it is unset.
	MaxInviteTTL time.Duration `yaml:"max_invite_ttl"`
}

// SeedGroup is an organization or a folder.
type SeedGroup struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	// Unverified organizations need not have a name of their own.
	Unverified bool        `yaml:"unverified"`
	Folders    []SeedGroup `yaml:"folders"`
	Roles      []SeedRole  `yaml:"roles"`

	line int
}

// SeedRole is a role, with capabilities as "group_invites.create".
type SeedRole struct {
	Name         string   `yaml:"name"`
	Description  string   `yaml:"description"`
	Capabilities []string `yaml:"capabilities"`

	line int
}

// SeedIdentity is a person or a machine.
type SeedIdentity struct {
	Name  string `yaml:"name"`
	Email string `yaml:"email"`
	// Group is where the identity lives; people live in the root, as it is unset.
	Group string `yaml:"group"`
	// Issuer and Subject, where they are set, are those of the only upstream tokens that are exchanged for this
	// identity.
	Issuer   string        `yaml:"issuer"`
	Subject  string        `yaml:"subject"`
	Bindings []SeedBinding `yaml:"bindings"`

	line int
}

// SeedBinding grants a role on a group and all below it.
type SeedBinding struct {
	Group string `yaml:"group"`
	Role  string `yaml:"role"`

	line int
}

// SeedInvite is an invite.
type SeedInvite struct {
	Group     string        `yaml:"group"`
	Role      string        `yaml:"role"`
	TTL       time.Duration `yaml:"ttl"`
	Email     string        `yaml:"email"`
	SingleUse bool          `yaml:"single_use"`

	line int
}

// DefaultSeed is one organization with one folder and one custom role, and one identity that owns it all.
func DefaultSeed() Seed {
	return Seed{
		Organizations: []SeedGroup{{
			Name:        "acme.example",
			Description: "An organization to try things on.",
			Folders:     []SeedGroup{{Name: "platform", Description: "The platform team."}},
			Roles: []SeedRole{{
				Name:        "invite-manager",
				Description: "Creates, lists and revokes invites.",
				Capabilities: []string{
					"groups.list", "roles.list", "role_bindings.create",
					"group_invites.create", "group_invites.list", "group_invites.delete",
				},
			}},
		}},
		Identities: []SeedIdentity{{
			Name:     "admin",
			Email:    "admin@acme.example",
			Bindings: []SeedBinding{{Group: "acme.example", Role: "owner"}},
		}},
	}
}

// seedTime is when what is seeded was created: long ago, so that nothing of it counts as new.
var seedTime = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)

// managedRoles are the roles that the platform always has.
func managedRoles() []role {
	pullTokens := func(pull []capabilities.Capability) []capabilities.Capability {
		return capabilities.SortCaps(capabilities.PullTokenCreatorCaps, pull)
	}
	// What an owner can do, except deciding who else can do what.
	limitedOwner := slices.DeleteFunc(slices.Clone(capabilities.OwnerCaps), func(c capabilities.Capability) bool {
		name := capabilityName(c)
		changes := !strings.HasSuffix(name, ".list")
		return changes && (strings.HasPrefix(name, "role_bindings.") ||
			strings.HasPrefix(name, "roles.") || strings.HasPrefix(name, "group_invites."))
	})
	return []role{
		{name: "owner", description: "Can do everything in a group.", capabilities: capabilities.OwnerCaps},
		{name: "limited_owner", description: "Can do everything in a group but grant roles.", capabilities: limitedOwner},
		{name: "editor", description: "Can change what is in a group, but not who may.", capabilities: capabilities.EditorCaps},
		{name: "viewer", description: "Can see what is in a group, and pull from it.", capabilities: capabilities.ViewerCaps},
		{name: "console_viewer", description: "Can see what is in a group.", capabilities: capabilities.ConsoleViewerCaps},
		{name: "registry.pull", description: "Can pull images.", capabilities: capabilities.RegistryPullCaps},
		{name: "registry.push", description: "Can push images.", capabilities: capabilities.RegistryPushCaps},
		{name: "registry.pull_token_creator", description: "Can create tokens that pull images.", capabilities: capabilities.RegistryPullTokenCreatorCaps},
		{name: "apk.pull", description: "Can pull packages.", capabilities: capabilities.APKPullCaps},
		{name: "libraries.java.pull", description: "Can pull Java libraries.", capabilities: capabilities.LibrariesJavaPullCaps},
		{name: "libraries.java.pull_token_creator", description: "Can create tokens that pull Java libraries.", capabilities: pullTokens(capabilities.LibrariesJavaPullCaps)},
		{name: "libraries.python.pull", description: "Can pull Python libraries.", capabilities: capabilities.LibrariesPythonPullCaps},
		{name: "libraries.python.pull_token_creator", description: "Can create tokens that pull Python libraries.", capabilities: pullTokens(capabilities.LibrariesPythonPullCaps)},
		{name: "libraries.javascript.pull", description: "Can pull JavaScript libraries.", capabilities: capabilities.LibrariesJavascriptPullCaps},
		{name: "libraries.javascript.pull_token_creator", description: "Can create tokens that pull JavaScript libraries.", capabilities: pullTokens(capabilities.LibrariesJavascriptPullCaps)},
		{name: "guardener.user", description: "Can run Guardener.", capabilities: capabilities.GuardenerUserCaps},
		{name: "guardener.admin", description: "Can set up Guardener.", capabilities: capabilities.GuardenerAdminCaps},
	}
}

// SeedError is what is wrong with a seed. Line is 0 for a seed that is not from a file.
type SeedError struct {
	File    string
	Line    int
	Problem string
}

// Error implements error.
func (e *SeedError) Error() string {
	switch {
	case e.File == "":
		return "seed: " + e.Problem
	case e.Line == 0:
		return e.File + ": " + e.Problem
	default:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Problem)
	}
}

func wrongAt(line int, format string, args ...any) error {
	return &SeedError{Line: line, Problem: fmt.Sprintf(format, args...)}
}

// plant makes the store that the seed describes.
func (s Seed) plant(now time.Time) (*store, error) {
	st := newStore()
	st.maxInviteTTL = s.MaxInviteTTL
	if st.maxInviteTTL == 0 {
		st.maxInviteTTL = 365 * 24 * time.Hour
	}
	if st.maxInviteTTL < 0 {
		return nil, wrongAt(0, "max_invite_ttl must be positive, is %s", s.MaxInviteTTL)
	}
	for _, r := range managedRoles() {
		r.created, r.updated = seedTime, seedTime
		st.addRole("", r)
	}
	if err := st.plantRoles("", s.Roles); err != nil {
		return nil, err
	}
	for _, g := range s.Organizations {
		if err := st.plantGroup("", g); err != nil {
			return nil, err
		}
	}
	for _, i := range s.Identities {
		if err := st.plantIdentity(i); err != nil {
			return nil, err
		}
	}
	if st.admin == "" {
		return nil, wrongAt(0, "there must be at least one identity, because nobody else can call the API")
	}
	for _, i := range s.Invites {
		if err := st.plantInvite(i, now); err != nil {
			return nil, err
		}
	}
	return st, nil
}

func (s *store) plantGroup(parent string, g SeedGroup) error {
	what := "an organization"
	if parent != "" {
		what = "a folder"
	}
	if !validName(g.Name) || len(g.Name) < 3 || len(g.Name) > 63 {
		return wrongAt(g.line, "%s needs a name of 3 to 63 lower case letters, digits, spaces, dots, dashes and underscores, not %q", what, g.Name)
	}
	for _, other := range s.groups {
		namesake := other.name == g.Name && uidp.Parent(other.uid) == parentOf(parent)
		if namesake && (parent != "" || other.verified && !g.Unverified) {
			return wrongAt(g.line, "there is %s %q already: only unverified organizations may share a name", what, g.Name)
		}
	}
	planted := &group{
		uid:         s.newUID(parent, "group", g.Name),
		name:        g.Name,
		description: g.Description,
		verified:    parent == "" && !g.Unverified,
		kind:        iam.OrgKind_ORG_KIND_CUSTOMER,
		created:     seedTime,
		updated:     seedTime,
	}
	s.groups[planted.uid] = planted
	if err := s.plantRoles(planted.uid, g.Roles); err != nil {
		return err
	}
	for _, folder := range g.Folders {
		if folder.Unverified {
			return wrongAt(folder.line, "only organizations can be unverified, not the folder %q", folder.Name)
		}
		if err := s.plantGroup(planted.uid, folder); err != nil {
			return err
		}
	}
	return nil
}

func (s *store) plantRoles(group string, seeded []SeedRole) error {
	for _, r := range seeded {
		if !validName(r.Name) {
			return wrongAt(r.line, "a role needs a name of lower case letters, digits, spaces, dots, dashes and underscores, not %q", r.Name)
		}
		for _, other := range s.roles {
			if other.name == r.Name && uidp.Parent(other.uid) == parentOf(group) {
				return wrongAt(r.line, "there is a role %q here already", r.Name)
			}
		}
		if len(r.Capabilities) == 0 {
			return wrongAt(r.line, "the role %q needs at least one capability, such as group_invites.list", r.Name)
		}
		var granted []capabilities.Capability
		for _, name := range r.Capabilities {
			c, err := capabilities.Parse(name)
			if err != nil || c == capabilities.Capability_UNKNOWN {
				return wrongAt(r.line, "the role %q has the unknown capability %q: %s", r.Name, name, likeCapabilities(name))
			}
			granted = append(granted, c)
		}
		s.addRole(group, role{
			name:         r.Name,
			description:  r.Description,
			capabilities: capabilities.SortCaps(granted),
			created:      seedTime,
			updated:      seedTime,
		})
	}
	return nil
}

// parentOf is what uidp.Parent says of what is in the group.
func parentOf(group string) string {
	if group == "" {
		return "/"
	}
	return group
}

// likeCapabilities lists the capabilities of the same kind, or those that matter most here.
func likeCapabilities(name string) string {
	kind, _, _ := strings.Cut(name, ".")
	var like []string
	for _, known := range capabilities.Names() {
		if k, _, _ := strings.Cut(known, "."); k == kind {
			like = append(like, known)
		}
	}
	if len(like) == 0 {
		return "there are, among others, group_invites.create, group_invites.list, group_invites.delete, role_bindings.create, groups.list and roles.list"
	}
	slices.Sort(like)
	return "there are " + strings.Join(like, ", ")
}

func (s *store) plantIdentity(i SeedIdentity) error {
	if i.Name == "" {
		return wrongAt(i.line, "an identity needs a name")
	}
	for _, other := range s.identities {
		if other.name == i.Name {
			return wrongAt(i.line, "there is an identity %q already", i.Name)
		}
	}
	if err := checkEmail(i.line, i.Email); err != nil {
		return err
	}
	home := ""
	if i.Group != "" {
		g, err := s.oneGroup(i.line, i.Group)
		if err != nil {
			return err
		}
		home = g.uid
	}
	planted := &identity{
		uid:     s.newUID(home, "identity", i.Name),
		name:    i.Name,
		email:   i.Email,
		issuer:  i.Issuer,
		subject: i.Subject,
	}
	for _, b := range i.Bindings {
		g, r, err := s.groupAndRole(b.line, b.Group, b.Role)
		if err != nil {
			return err
		}
		planted.bindings = append(planted.bindings, binding{g.uid, r.uid})
	}
	s.identities[planted.uid] = planted
	if s.admin == "" || i.Name == "admin" {
		s.admin = planted.uid
	}
	return nil
}

func (s *store) plantInvite(i SeedInvite, now time.Time) error {
	g, r, err := s.groupAndRole(i.line, i.Group, i.Role)
	if err != nil {
		return err
	}
	if err := checkEmail(i.line, i.Email); err != nil {
		return err
	}
	if i.TTL < 0 || i.TTL > s.maxInviteTTL {
		return wrongAt(i.line, "an invite's ttl must be positive and at most %s, not %s", s.maxInviteTTL, i.TTL)
	}
	if i.TTL == 0 {
		i.TTL = defaultSeedTTL
	}
	s.addInvite(Invite{
		Group:     g.uid,
		RoleUID:   r.uid,
		Email:     i.Email,
		TTL:       i.TTL,
		SingleUse: i.SingleUse,
		Created:   now.UTC(),
	})
	return nil
}

// defaultSeedTTL is how long invites live that are seeded without saying so.
const defaultSeedTTL = 7 * 24 * time.Hour

func (s *store) groupAndRole(line int, groupName, roleName string) (*group, *role, error) {
	g, err := s.oneGroup(line, groupName)
	if err != nil {
		return nil, nil, err
	}
	r := s.findRole(roleName, g.uid)
	if r == nil {
		var names []string
		for _, known := range s.roles {
			if known.within(g.uid) {
				names = append(names, known.name)
			}
		}
		slices.Sort(names)
		return nil, nil, wrongAt(line, "the group %q has no role %q: there are %s", groupName, roleName, strings.Join(names, ", "))
	}
	return g, r, nil
}

func (s *store) oneGroup(line int, name string) (*group, error) {
	found := s.findGroups(name)
	if len(found) == 1 {
		return found[0], nil
	}
	var paths []string
	for uid := range s.groups {
		paths = append(paths, s.path(uid))
	}
	slices.Sort(paths)
	problem := "there is no group"
	if len(found) > 1 {
		problem = "there is more than one group"
	}
	return nil, wrongAt(line, "%s %q: there are %s", problem, name, strings.Join(paths, ", "))
}

func checkEmail(line int, email string) error {
	if email != "" && !bareEmail(email) {
		return wrongAt(line, "%q is not a bare email address such as kim@example.com", email)
	}
	return nil
}

// bareEmail says that the text is an email address and nothing else.
func bareEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	return err == nil && address.Address == text
}

// Named is something that the platform holds, by its name.
type Named struct{ Name, UID string }

// Groups lists the groups by their paths.
func (e *Emulator) Groups() []Named {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Named
	for uid := range e.store.groups {
		all = append(all, Named{e.store.path(uid), uid})
	}
	return sortNamed(all)
}

// Roles lists the roles, custom ones after the path of their group.
func (e *Emulator) Roles() []Named {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Named
	for uid, r := range e.store.roles {
		name := r.name
		if !r.managed() {
			name = e.store.path(uidp.Parent(uid)) + ": " + name
		}
		all = append(all, Named{name, uid})
	}
	return sortNamed(all)
}

// Identities lists the identities.
func (e *Emulator) Identities() []Named {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Named
	for uid, i := range e.store.identities {
		all = append(all, Named{i.name, uid})
	}
	return sortNamed(all)
}

// Identity returns the UIDP of the identity of a name. It panics if there is none: a test that misspells a name is
// wrong.
func (e *Emulator) Identity(name string) string {
	for _, i := range e.Identities() {
		if i.Name == name {
			return i.UID
		}
	}
	panic(fmt.Sprintf("emulator: no identity is called %q", name))
}

func sortNamed(all []Named) []Named {
	slices.SortFunc(all, func(a, b Named) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.UID, b.UID))
	})
	return all
}

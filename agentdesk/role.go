package agentdesk

// Role is what a user may do.
type Role string

// Roles. A manager may do what a supervisor may, a supervisor what a handler may.
const (
	RoleHandler    Role = "handler"
	RoleSupervisor Role = "supervisor"
	RoleManager    Role = "manager"
)

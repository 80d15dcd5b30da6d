package redistest

import "github.com/redis/go-redis/v9/maintnotifications"

// MaintOff switches off maintenance notifications: the client would probe with a
// command that Redis 7.0 does not have.
func MaintOff() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

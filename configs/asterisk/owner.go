package asterisk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// DefaultRunUser is the system user Asterisk runs as when C3i is root; scripts/setup makes it.
const DefaultRunUser = "c3i-asterisk"

// owner is who Asterisk runs as.
type owner struct {
	name     string
	uid, gid int
	other    bool // than this process's own user
}

// ownerFor finds the user named; no name means this process's own, or DefaultRunUser when that is root.
func ownerFor(name string) (owner, error) {
	self := owner{uid: os.Geteuid(), gid: os.Getegid()}
	if name == "" {
		if self.uid != 0 {
			return self, nil
		}
		name = DefaultRunUser
	}
	u, err := user.Lookup(name)
	if err != nil {
		var unknown user.UnknownUserError
		if errors.As(err, &unknown) {
			return owner{}, fmt.Errorf("there is no user %s for Asterisk to run as: make it with `useradd --system --user-group %s` (scripts/setup does)", name, name)
		}
		return owner{}, fmt.Errorf("looking up the user Asterisk runs as: %w", err)
	}
	o := owner{name: name}
	if o.uid, err = strconv.Atoi(u.Uid); err == nil {
		o.gid, err = strconv.Atoi(u.Gid)
	}
	if err != nil {
		return owner{}, fmt.Errorf("looking up the user Asterisk runs as: %w", err)
	}
	o.other = o.uid != self.uid
	if o.other && self.uid != 0 {
		return owner{}, fmt.Errorf("only root can run Asterisk as another user: leave the user empty, or start C3i as root or as %s", name)
	}
	if o.uid == 0 {
		return owner{}, &InvalidError{Field: "RunUser", Reason: "must not be root: Asterisk takes traffic from anybody"}
	}
	return o, nil
}

// mkdir makes a folder that the owner may read and list but, when another user, not change.
func (o owner) mkdir(path string) error {
	mode, gid := os.FileMode(0o700), -1
	if o.other {
		mode, gid = 0o750, o.gid
	}
	return makeDir(path, mode, -1, gid)
}

// mkdirOwn makes a folder that belongs to the owner.
func (o owner) mkdirOwn(path string) error {
	if o.other {
		return makeDir(path, 0o750, o.uid, o.gid)
	}
	return makeDir(path, 0o700, -1, -1)
}

func makeDir(path string, mode os.FileMode, uid, gid int) error {
	err := os.MkdirAll(path, 0o711) // parents let others through, not look around
	if err == nil && (uid >= 0 || gid >= 0) {
		err = os.Chown(path, uid, gid)
	}
	if err == nil {
		err = os.Chmod(path, mode)
	}
	if err != nil {
		return fmt.Errorf("making a folder for Asterisk: %w", err)
	}
	return nil
}

// apply makes cmd run as the owner, out of reach of the terminal's Ctrl-C.
func (o owner) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if o.other {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
	}
}

// reach checks that the owner can enter the folder.
func (o owner) reach(ctx context.Context, path string) error {
	if !o.other {
		return nil
	}
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", `cd -- "$1"`, "sh", path)
	cmd.Dir = "/"
	o.apply(cmd)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("user %s, whom Asterisk runs as, cannot enter %s: choose a data directory every user may pass through, such as one under /var/lib", o.name, path)
	}
	return nil
}

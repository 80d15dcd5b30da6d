package mailserver

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Dovecot is a private Dovecot with one mailbox.
type Dovecot struct {
	// IMAP is host:port, without TLS; User and Password sign in.
	IMAP, User, Password string

	t    T
	dir  string
	port int
	cmd  *exec.Cmd
	n    int
}

// StartDovecot starts a Dovecot that is ended with the test.
func StartDovecot(t T) *Dovecot {
	t.Helper()
	needRoot(t)
	d := &Dovecot{t: t, dir: folder(t), port: freePort(t), User: "box", Password: "secret-for-tests"}
	d.IMAP = fmt.Sprintf("127.0.0.1:%d", d.port)
	uid, gid := ids(t, "mail")
	for _, sub := range []string{"run", "state", "mail", "mail/new", "mail/cur", "mail/tmp"} {
		if err := os.MkdirAll(filepath.Join(d.dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, sub := range []string{"mail", "mail/new", "mail/cur", "mail/tmp"} {
		if err := os.Chown(filepath.Join(d.dir, sub), uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	config := fmt.Sprintf(`
base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:%[1]s/mail
first_valid_uid = 1
mailbox_idle_check_interval = 1 secs
service imap-login {
  chroot =
  inet_listener imap {
    port = %[2]d
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
}
service stats {
  chroot =
}
passdb {
  driver = static
  args = password=%[3]s
}
userdb {
  driver = static
  args = uid=%[4]d gid=%[5]d home=%[1]s/mail
}
`, d.dir, d.port, d.Password, uid, gid)
	if err := os.WriteFile(filepath.Join(d.dir, "dovecot.conf"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d.cmd != nil {
			d.Stop()
		}
	})
	d.Start()
	return d
}

// Start starts the server again after Stop, on the same mailbox.
func (d *Dovecot) Start() {
	d.t.Helper()
	d.cmd = exec.Command("/usr/sbin/dovecot", "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := d.cmd.Start(); err != nil {
		d.t.Fatalf("start dovecot (run scripts/setup test first): %v", err)
	}
	await(d.t, d.IMAP, d.log)
}

// Stop ends the server; the mailbox stays.
func (d *Dovecot) Stop() {
	d.t.Helper()
	end(d.t, d.cmd)
	d.cmd = nil
}

// Deliver puts a message into the mailbox, as a local delivery does; it may be
// called while the server is stopped.
func (d *Dovecot) Deliver(raw string) {
	d.t.Helper()
	d.n++
	var b [6]byte
	_, _ = rand.Read(b[:])
	name := fmt.Sprintf("%d.%s.test", d.n, hex.EncodeToString(b[:]))
	tmp := filepath.Join(d.dir, "mail/tmp", name)
	uid, gid := ids(d.t, "mail")
	if err := os.WriteFile(tmp, []byte(raw), 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chown(tmp, uid, gid); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(d.dir, "mail/new", name)); err != nil {
		d.t.Fatal(err)
	}
}

// Renumber makes the server number its messages anew (another UIDVALIDITY). The
// server must be stopped.
func (d *Dovecot) Renumber() {
	d.t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.dir, "mail"))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range entries {
		if !e.IsDir() {
			if err := os.Remove(filepath.Join(d.dir, "mail", e.Name())); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	// The number is the time in seconds at which the list was made; say another.
	uid, gid := ids(d.t, "mail")
	list := filepath.Join(d.dir, "mail", "dovecot-uidlist")
	if err := os.WriteFile(list, []byte("3 V77 N1 G0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chown(list, uid, gid); err != nil {
		d.t.Fatal(err)
	}
}

// Files lists the mailbox's messages by folder (new, cur) and name, flags included.
func (d *Dovecot) Files() []string {
	d.t.Helper()
	var out []string
	for _, sub := range []string{"new", "cur"} {
		entries, err := os.ReadDir(filepath.Join(d.dir, "mail", sub))
		if err != nil {
			d.t.Fatal(err)
		}
		for _, e := range entries {
			out = append(out, e.Name())
		}
	}
	return out
}

func (d *Dovecot) log() string {
	b, _ := os.ReadFile(filepath.Join(d.dir, "log"))
	return string(b)
}

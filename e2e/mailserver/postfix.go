package mailserver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Postfix is a private Postfix that hands mail for one domain over by LMTP.
type Postfix struct {
	// SMTP is where it takes mail.
	SMTP string

	t   T
	dir string
	cmd *exec.Cmd
}

// StartPostfix starts a Postfix that hands everything for domain to the LMTP
// server at lmtp (host:port), and is ended with the test. What is refused for the
// moment it keeps and tries again within seconds.
func StartPostfix(t T, domain, lmtp string) *Postfix {
	t.Helper()
	return start(t, domain, "lmtp:inet:"+lmtp)
}

// StartPostfixDiscarding starts a Postfix that takes mail for domain into its queue
// and then throws it away, and is ended with the test.
func StartPostfixDiscarding(t T, domain string) *Postfix {
	t.Helper()
	return start(t, domain, "discard:")
}

func start(t T, domain, transport string) *Postfix {
	t.Helper()
	needRoot(t)
	p := &Postfix{t: t, dir: folder(t)}
	port := freePort(t)
	p.SMTP = fmt.Sprintf("127.0.0.1:%d", port)
	uid, gid := ids(t, "postfix")
	for _, sub := range []string{"etc", "queue", "data"} {
		if err := os.MkdirAll(filepath.Join(p.dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(p.dir, "data"), uid, gid); err != nil {
		t.Fatal(err)
	}
	main := fmt.Sprintf(`
compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
maillog_file = %[1]s/log
maillog_file_prefixes = /tmp
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.org
mydestination =
mynetworks = 127.0.0.0/8
relay_domains = %[2]s
relay_transport = %[3]s
transport_maps =
alias_maps =
alias_database =
local_recipient_maps =
smtpd_relay_restrictions = permit_mynetworks, reject
default_transport = error:no way out of a test
message_size_limit = 40000000
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
lmtp_connect_timeout = 5s
biff = no
`, p.dir, domain, transport)
	master := fmt.Sprintf(`
127.0.0.1:%d inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
showq unix n - n - - showq
`, port)
	for name, text := range map[string]string{"main.cf": main, "master.cf": master} {
		if err := os.WriteFile(filepath.Join(p.dir, "etc", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if p.cmd != nil {
			p.Stop()
		}
	})
	// Makes the queue's folders.
	if out, err := exec.Command("/usr/sbin/postfix", "-c", filepath.Join(p.dir, "etc"), "check").CombinedOutput(); err != nil {
		t.Fatalf("postfix check (run scripts/setup test first): %v\n%s", err, out)
	}
	p.Start()
	return p
}

// Start starts it again after Stop, on the same queue.
func (p *Postfix) Start() {
	p.t.Helper()
	p.cmd = exec.Command("/usr/lib/postfix/sbin/master", "-c", filepath.Join(p.dir, "etc"), "-d")
	p.cmd.Env = append(os.Environ(), "MAIL_CONFIG="+filepath.Join(p.dir, "etc"))
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("start postfix (run scripts/setup test first): %v", err)
	}
	await(p.t, p.SMTP, p.log)
}

// Stop ends it; the queue stays.
func (p *Postfix) Stop() {
	p.t.Helper()
	end(p.t, p.cmd)
	p.cmd = nil
}

func (p *Postfix) log() string {
	b, _ := os.ReadFile(filepath.Join(p.dir, "log"))
	return string(b)
}

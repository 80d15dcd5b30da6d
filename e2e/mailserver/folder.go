package mailserver

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
	"time"
)

// T is what a server is started for: it ends when T's cleanups run. A testing.TB
// is one.
type T interface {
	Helper()
	Cleanup(func())
	Skip(...any)
	Errorf(string, ...any)
	Fatal(...any)
	Fatalf(string, ...any)
}

// folder makes a folder with a short path that every user may enter.
func folder(t T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "c3i-mail-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the mail server's folder: %v", err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// freePort finds a port of loopback that nobody listens on.
func freePort(t T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// ids are the numbers of a user.
func ids(t T, name string) (uid, gid int) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("no user %s (run scripts/setup test first): %v", name, err)
	}
	uid, _ = strconv.Atoi(u.Uid)
	gid, _ = strconv.Atoi(u.Gid)
	return uid, gid
}

// needRoot skips the test when it does not run as root: both servers begin as root
// and then drop to users of their own. CI runs as root, so that nothing is skipped
// there.
func needRoot(t T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a private Postfix or Dovecot needs root to become its own users")
	}
}

// await waits until something answers on an address with a line.
func await(t T, address string, log func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			var b [1]byte
			_, err = io.ReadFull(conn, b[:])
			_ = conn.Close()
			if err == nil {
				return
			}
		}
		select {
		case <-ctx.Done():
			t.Fatalf("nothing answers on %s: %v\n%s", address, err, log())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// end stops a program's own process group and waits for it.
func end(t T, cmd *exec.Cmd) {
	t.Helper()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Errorf("end the mail server: %v", err)
		}
		<-done
	}
}

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/c3i/configs/asterisk"
	"example.org/c3i/configs/asterisk/asterisktest"
	"example.org/c3i/crm/redistest"
)

// complaint is what `c3i up` says beside its log.
func complaint(errOut string) string {
	var said []string
	for line := range strings.Lines(errOut) {
		if !regexp.MustCompile(`^\d\d:\d\d:\d\d `).MatchString(line) {
			said = append(said, line)
		}
	}
	return strings.Join(said, "")
}

// refused runs c3i, which must not start: it says one line that matches, and
// leaves no process behind.
func refused(t *testing.T, data string, p *program, code int, want string) {
	t.Helper()
	if got := p.begin().exit(); got != code {
		t.Errorf("exit code %d, not %d", got, code)
	}
	said := complaint(p.err.String())
	if !regexp.MustCompile(want).MatchString(said) || strings.Count(said, "\n") != 1 {
		t.Errorf("said %q, not one line matching %s", said, want)
	}
	if p.out.String() != "" {
		t.Errorf("printed %q", p.out)
	}
	if left := running(t, data); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
}

// untouched tells that no program was started on the folder.
func untouched(t *testing.T, data string) {
	t.Helper()
	for _, name := range []string{"redis", "asterisk"} {
		if _, err := os.Stat(filepath.Join(data, name)); err == nil {
			t.Errorf("%s was started before the mistake was found", name)
		}
	}
}

func script(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(bareFolder(t), "program")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

func takenTCP(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

func takenUDP(t *testing.T) string {
	t.Helper()
	l, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.LocalAddr().String()
}

func TestWhatKeepsItFromStartingIsToldBeforeAnythingStarts(t *testing.T) {
	for name, tc := range map[string]struct {
		args func(t *testing.T) []string
		code int
		want string
	}{
		"HTTP port taken": {
			func(t *testing.T) []string { return []string{"--http.listen", takenTCP(t)} }, 1,
			`^c3i: http.listen: 127.0.0.1:\d+ is taken by another program: stop it, or choose another address with --http.listen$`,
		},
		"ARI port taken": {
			func(t *testing.T) []string { return []string{"--asterisk.http_listen", takenTCP(t)} }, 1,
			`^c3i: asterisk.http_listen: 127.0.0.1:\d+ \(tcp\) is taken by another program: stop it, or choose another address with --asterisk.http_listen$`,
		},
		"SIP port taken by TCP": {
			func(t *testing.T) []string { return []string{"--asterisk.sip_listen", takenTCP(t)} }, 1,
			`^c3i: asterisk.sip_listen: 127.0.0.1:\d+ \(tcp\) is taken by another program`,
		},
		"SIP port taken by UDP": {
			func(t *testing.T) []string { return []string{"--asterisk.sip_listen", takenUDP(t)} }, 1,
			`^c3i: asterisk.sip_listen: 127.0.0.1:\d+ \(udp\) is taken by another program`,
		},
		"not an address of this machine": {
			func(*testing.T) []string { return []string{"--http.listen", "192.0.2.1:8080"} }, 1,
			`^c3i: http.listen: .*192.0.2.1:8080`,
		},
		"no redis-server": {
			func(*testing.T) []string { return []string{"--redis.program", "no-redis-server"} }, 1,
			`^c3i: redis.program: the program "no-redis-server" is missing: install redis-server, name another with --redis.program`,
		},
		"no asterisk": {
			func(*testing.T) []string { return []string{"--asterisk.program", "/nowhere/asterisk"} }, 1,
			`^c3i: asterisk.program: the program "/nowhere/asterisk" is missing: install Asterisk 22 or later`,
		},
		"no asterisk on the path": {
			func(*testing.T) []string { return []string{"--asterisk.program", "no-asterisk"} }, 1,
			`^c3i: asterisk.program: the program "no-asterisk" is missing: install Asterisk 22 or later`,
		},
		"no espeak-ng": {
			func(*testing.T) []string { return []string{"--prompts.espeak", "no-espeak"} }, 1,
			`^c3i: prompts.espeak: the program "no-espeak" does not run: install espeak-ng, or name it with --prompts.espeak$`,
		},
		// A program that says it is an old Asterisk stands in for one.
		"an old asterisk": {
			func(t *testing.T) []string { return []string{"--asterisk.program", script(t, "echo Asterisk 18.1.0")} }, 1,
			`^c3i: asterisk.program: Asterisk 18.1.0 is too old: C3i needs 22 or later; name another with --asterisk.program`,
		},
		"not asterisk at all": {
			func(t *testing.T) []string { return []string{"--asterisk.program", script(t, "echo hello")} }, 1,
			`^c3i: asterisk.program: .* cannot be used: its -V does not name a version of Asterisk$`,
		},
		"no Redis there": {
			func(*testing.T) []string { return []string{"--redis.addrs", "127.0.0.1:1"} }, 1,
			`^c3i: redis.addrs: Redis does not answer: .*connection refused; start it, or correct redis.addrs$`,
		},
		"no Asterisk there": {
			func(*testing.T) []string {
				return []string{"--asterisk.url", "http://127.0.0.1:1", "--asterisk.ari_password", "x"}
			}, 1,
			`^c3i: asterisk.url: no Asterisk answers at http://127.0.0.1:1: .*connection refused; start it, or correct asterisk.url$`,
		},
		"no certificate": {
			func(*testing.T) []string {
				return []string{"--http.tls_cert", "/nowhere/cert.pem", "--http.tls_key", "/nowhere/cert.pem"}
			}, 1,
			`^c3i: http.tls_(cert|key): /nowhere/cert.pem cannot be read: no such file or directory$`,
		},
		"a broken certificate": {
			func(t *testing.T) []string {
				f := script(t, "")
				return []string{"--http.tls_cert", f, "--http.tls_key", f}
			}, 1,
			`^c3i: http.tls_cert: .* are not a certificate and its key in PEM: `,
		},
		"half a certificate": {
			func(*testing.T) []string { return []string{"--http.tls_cert", "/nowhere/cert.pem"} }, 2,
			`^c3i: these settings cannot be used:\n`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := filepath.Join(bareFolder(t), "data")
			p := command(t, upArgs(data, tc.args(t)...)...)
			if tc.code == exitUsage {
				if code := p.begin().exit(); code != tc.code || !regexp.MustCompile(tc.want).MatchString(p.err.String()) {
					t.Errorf("code %d: %s", code, p.err)
				}
			} else {
				refused(t, data, p, tc.code, "(?m)"+tc.want)
			}
			untouched(t, data)
		})
	}
}

func TestAnExistingRedisThatCannotBeUsed(t *testing.T) {
	client := redistest.Start(t)
	addr := client.Options().Addr
	t.Run("it evicts", func(t *testing.T) {
		if err := client.ConfigSet(t.Context(), "maxmemory-policy", "allkeys-lru").Err(); err != nil {
			t.Fatal(err)
		}
		data := filepath.Join(bareFolder(t), "data")
		refused(t, data, command(t, upArgs(data, "--redis.addrs", addr)...), 1,
			`^c3i: redis.addrs: Redis may throw keys away \(maxmemory-policy allkeys-lru\).*: set maxmemory-policy to noeviction\n$`)
		untouched(t, data)
	})
	t.Run("it wants a password", func(t *testing.T) {
		for key, value := range map[string]string{"maxmemory-policy": "noeviction", "requirepass": "a-secret"} {
			if err := client.ConfigSet(t.Context(), key, value).Err(); err != nil {
				t.Fatal(err)
			}
		}
		data := filepath.Join(bareFolder(t), "data")
		refused(t, data, command(t, upArgs(data, "--redis.addrs", addr)...), 1,
			`^c3i: redis.addrs: Redis refuses us \(NOAUTH.*\): correct redis.username and redis.password\n$`)
		refused(t, data, command(t, upArgs(data, "--redis.addrs", addr, "--redis.password", "another")...), 1,
			`^c3i: redis.addrs: Redis refuses us \(WRONGPASS.*\): correct redis.username and redis.password\n$`)
		untouched(t, data)
	})
}

// A listener that says it is Redis 6.2 stands in for one.
func TestARedisThatIsTooOld(t *testing.T) {
	addr := oldRedis(t)
	data := filepath.Join(bareFolder(t), "data")
	refused(t, data, command(t, upArgs(data, "--redis.addrs", addr)...), 1,
		`^c3i: redis.addrs: Redis 6.2.7 is too old: C3i needs 7.0 or later\n$`)
	untouched(t, data)
}

func TestAnExistingAsteriskThatCannotBeUsed(t *testing.T) {
	t.Run("wrong password", func(t *testing.T) {
		a := asterisktest.Start(t, asterisk.Settings{})
		data := filepath.Join(bareFolder(t), "data")
		refused(t, data, command(t, upArgs(data, "--asterisk.url", "http://"+a.HTTPAddress(), "--asterisk.ari_password", "wrong")...), 1,
			`^c3i: asterisk.ari_password: the Asterisk at http://\S+ refuses the user "c3i": make asterisk.ari_user and asterisk.ari_password those of its ari.conf\n$`)
		untouched(t, data)
	})
	for name, tc := range map[string]struct{ body, want string }{
		"too old":      {`{"system":{"version":"18.1.0"}}`, `^c3i: asterisk.url: Asterisk 18.1.0 at http://\S+ is too old: C3i needs 22 or later\n$`},
		"not Asterisk": {`<html>`, `^c3i: asterisk.url: what answers at http://\S+ is not Asterisk: correct asterisk.url\n$`},
		"no ARI":       {"", `^c3i: asterisk.url: http://\S+ answers 404 Not Found where ARI should be: enable it in ari.conf`},
	} {
		t.Run(name, func(t *testing.T) {
			// A web server that says so stands in for the Asterisk.
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tc.body == "" {
					http.NotFound(w, r)
					return
				}
				_, _ = w.Write([]byte(tc.body))
			}))
			t.Cleanup(s.Close)
			data := filepath.Join(bareFolder(t), "data")
			refused(t, data, command(t, upArgs(data, "--asterisk.url", s.URL, "--asterisk.ari_password", "x")...), 1, tc.want)
			untouched(t, data)
		})
	}
}

func TestAFolderThatCannotBeUsed(t *testing.T) {
	t.Run("below a file", func(t *testing.T) {
		data := filepath.Join(script(t, ""), "data")
		refused(t, data, command(t, upArgs(data)...), 1, `^c3i: data_dir: .* cannot be made: not a directory; choose another with --data_dir\n$`)
	})
	t.Run("not ours to write", func(t *testing.T) {
		data := bareFolder(t)
		if err := os.Chmod(data, 0o555); err != nil {
			t.Fatal(err)
		}
		p := command(t, upArgs(data)...)
		if os.Geteuid() == 0 {
			p.cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		}
		refused(t, data, p, 1, `^c3i: data_dir: .* cannot be written: permission denied; choose another with --data_dir\n$`)
	})
	t.Run("too long for a socket", func(t *testing.T) {
		data := filepath.Join(bareFolder(t), strings.Repeat("x", 100))
		refused(t, data, command(t, upArgs(data)...), 1, `^c3i: data_dir: .* is too long a path for the sockets below it: choose one of at most \d+ letters with --data_dir\n$`)
		untouched(t, data)
	})
	t.Run("Asterisk's user cannot pass", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Log("Asterisk runs as the user who runs this test, who can")
			return
		}
		parent := bareFolder(t)
		if err := os.Chmod(parent, 0o700); err != nil {
			t.Fatal(err)
		}
		data := filepath.Join(parent, "data")
		refused(t, data, command(t, upArgs(data)...), 1,
			`^c3i: data_dir: user c3i-asterisk, whom Asterisk runs as, cannot pass through `+regexp.QuoteMeta(parent)+`: choose a folder below one that every user may pass, such as /var/lib/c3i, with --data_dir, or .chmod o\+x `+regexp.QuoteMeta(parent)+".\n$")
		untouched(t, data)
	})
}

func TestTheUserAsteriskRunsAs(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("only root chooses whom Asterisk runs as")
		return
	}
	for name, want := range map[string]string{
		"nobody-of-that-name": `^c3i: asterisk.user: there is no user nobody-of-that-name for Asterisk to run as: make it with .useradd --system --user-group nobody-of-that-name., or name another with --asterisk.user\n$`,
		"root":                `^c3i: asterisk.user: Asterisk takes traffic from anybody and must not run as root: `,
	} {
		data := filepath.Join(bareFolder(t), "data")
		refused(t, data, command(t, upArgs(data, "--asterisk.user", name)...), 1, want)
		untouched(t, data)
	}
}

func TestBrokenPlanStopsTheStart(t *testing.T) {
	data := filepath.Join(bareFolder(t), "data")
	file := script(t, "")
	p := command(t, upArgs(data, "--plan", file)...)
	if code := p.begin().exit(); code != exitUsage || !strings.Contains(p.err.String(), file+":1:1: ") {
		t.Errorf("code %d: %s", code, p.err)
	}
	untouched(t, data)
}

// Programs that start but do not serve: what was started before is ended again.
func TestWhatFailsAfterSomethingStarted(t *testing.T) {
	t.Run("redis-server ends at once", func(t *testing.T) {
		data := newFolder(t)
		p := command(t, upArgs(data, "--redis.program", script(t, "exit 3"))...)
		if code := p.begin().exit(); code != exitFailed || !strings.Contains(p.err.String(), "c3i: redis-server ended at once") {
			t.Errorf("code %d: %s", code, p.err)
		}
		if left := running(t, data); len(left) > 0 {
			t.Errorf("left running: %v", left)
		}
	})
	t.Run("asterisk ends at once", func(t *testing.T) {
		data := newFolder(t)
		fake := script(t, `case $1 in -V) echo Asterisk 22.0.0;; *) echo no licence to start; exit 1;; esac`)
		p := command(t, upArgs(data, "--asterisk.program", fake)...)
		code := p.begin().exit()
		if said := complaint(p.err.String()); code != exitFailed || !strings.Contains(said, "starting Asterisk: it ended at once (exit status 1)\nno licence to start") {
			t.Errorf("code %d: %s", code, p.err)
		}
		if left := running(t, data); len(left) > 0 {
			t.Errorf("left running: %v", left)
		}
	})
}

// pair writes a certificate of its own and the key.
func pair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := bareFolder(t)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), fs.FileMode(0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

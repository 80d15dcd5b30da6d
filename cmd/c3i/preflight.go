package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"example.org/c3i/configs"
	"example.org/c3i/configs/asterisk"
)

// checkCertificates reads certificates and keys, so that a mistake is told at once.
func checkCertificates(c configs.Config) error {
	return errors.Join(checkTLS("http", c.HTTP.TLSCert, c.HTTP.TLSKey), checkTLS("mail", c.Mail.TLSCert, c.Mail.TLSKey))
}

func checkTLS(section, cert, key string) error {
	if cert == "" {
		return nil
	}
	for setting, file := range map[string]string{"tls_cert": cert, "tls_key": key} {
		if _, err := os.ReadFile(file); err != nil {
			return fmt.Errorf("%s.%s: %s cannot be read: %w", section, setting, file, bare(err))
		}
	}
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		return fmt.Errorf("%s.tls_cert: %s and %s are not a certificate and its key in PEM: %w", section, cert, key, err)
	}
	return nil
}

// preflight finds what would keep the private Redis and Asterisk from starting,
// or the existing ones from being used, before anything is started.
func preflight(ctx context.Context, c configs.Config) error {
	if len(c.Redis.Addrs) == 0 {
		if _, err := findRedis(c.Redis.Program); err != nil {
			return err
		}
		if longest := longestSocket - len("/redis/"+redisSocket); len(c.DataDir) > longest {
			return fmt.Errorf("data_dir: %s is too long a path for the sockets below it: choose one of at most %d letters with --data_dir", c.DataDir, longest)
		}
	}
	if c.Asterisk.URL != "" {
		return checkARI(ctx, c.Asterisk)
	}
	runAs := ""
	if os.Geteuid() == 0 {
		runAs = cmp.Or(c.Asterisk.User, asterisk.DefaultRunUser)
		u, err := user.Lookup(runAs)
		if err != nil {
			return fmt.Errorf("asterisk.user: there is no user %s for Asterisk to run as: make it with `useradd --system --user-group %s`, or name another with --asterisk.user", runAs, runAs)
		}
		if u.Uid == "0" {
			return fmt.Errorf("asterisk.user: Asterisk takes traffic from anybody and must not run as %s: leave it out, or name another with --asterisk.user", runAs)
		}
	}
	_, err := asterisk.CheckProgram(ctx, c.Asterisk.Program, runAs)
	var old *asterisk.TooOldError
	switch {
	case errors.As(err, &old):
		return fmt.Errorf("asterisk.program: %w; name another with --asterisk.program, or install one with `scripts/setup run`", old)
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("asterisk.program: the program %q is missing: install Asterisk %d or later (`scripts/setup run` does), or name it with --asterisk.program", c.Asterisk.Program, asterisk.LeastMajor)
	case err != nil:
		return fmt.Errorf("asterisk.program: %w", err)
	}
	if err := checkReach(c.DataDir, runAs); err != nil {
		return err
	}
	if asteriskLeft(c) {
		return nil // it holds the ports, and is ended before they are taken again
	}
	for _, p := range []struct{ key, addr, networks string }{
		{"asterisk.http_listen", c.Asterisk.HTTPListen, "tcp"},
		{"asterisk.sip_listen", c.Asterisk.SIPListen, "tcp udp"},
	} {
		for network := range strings.FieldsSeq(p.networks) {
			if err := portFree(ctx, network, p.addr); errors.Is(err, syscall.EADDRINUSE) {
				return fmt.Errorf("%s: %s (%s) is taken by another program: stop it, or choose another address with --%s", p.key, p.addr, network, p.key)
			} else if err != nil {
				return fmt.Errorf("%s: %s cannot be used: %w; choose another address with --%s", p.key, p.addr, bareNet(err), p.key)
			}
		}
	}
	return nil
}

func bareNet(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err
	}
	return err
}

func portFree(ctx context.Context, network, addr string) error {
	var lc net.ListenConfig
	if network == "udp" {
		p, err := lc.ListenPacket(ctx, network, addr)
		if err != nil {
			return err
		}
		return p.Close()
	}
	l, err := lc.Listen(ctx, network, addr)
	if err != nil {
		return err
	}
	return l.Close()
}

func asteriskDir(c configs.Config) string { return filepath.Join(c.DataDir, "asterisk") }

// asteriskLeft tells whether an Asterisk of this folder still runs.
func asteriskLeft(c configs.Config) bool {
	b, err := os.ReadFile(filepath.Join(asterisk.DirsUnder(asteriskDir(c)).Run, "asterisk.pid"))
	if err != nil {
		return false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return err == nil && pid > 0 && syscall.Kill(pid, 0) == nil
}

// checkReach finds a folder on the way to the data folder that the user Asterisk
// runs as may not pass.
func checkReach(dir, name string) error {
	if name == "" {
		return nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return fmt.Errorf("asterisk.user: %w", err)
	}
	groups, err := u.GroupIds()
	if err != nil {
		return fmt.Errorf("asterisk.user: %w", err)
	}
	ids := []uint32{}
	for _, g := range append(groups, u.Gid) {
		if n, err := strconv.ParseUint(g, 10, 32); err == nil {
			ids = append(ids, uint32(n))
		}
	}
	for at := dir; ; at = filepath.Dir(at) {
		if target, err := filepath.EvalSymlinks(at); err == nil {
			at = target
		}
		info, err := os.Stat(at)
		if err != nil {
			return fmt.Errorf("data_dir: %w", err)
		}
		if !mayPass(info, u.Uid, ids) {
			return fmt.Errorf("data_dir: user %s, whom Asterisk runs as, cannot pass through %s: choose a folder below one that every user may pass, such as /var/lib/c3i, with --data_dir, or `chmod o+x %s`", name, at, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

func mayPass(info os.FileInfo, uid string, gids []uint32) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return true
	}
	mode := info.Mode().Perm()
	if strconv.FormatUint(uint64(st.Uid), 10) == uid {
		return mode&0o100 != 0
	}
	for _, g := range gids {
		if st.Gid == g {
			return mode&0o010 != 0
		}
	}
	return mode&0o001 != 0
}

// checkARI asks an existing Asterisk who it is.
func checkARI(ctx context.Context, c configs.Asterisk) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	base := strings.TrimSuffix(c.URL, "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/ari/asterisk/info?only=system", nil)
	if err != nil {
		return fmt.Errorf("asterisk.url: %w", err)
	}
	req.SetBasicAuth(c.ARIUser, c.ARIPassword)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asterisk.url: no Asterisk answers at %s: %w; start it, or correct asterisk.url", base, bareNet(err))
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
	if err != nil {
		return fmt.Errorf("asterisk.url: the Asterisk at %s does not answer in full: %w", base, err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("asterisk.ari_password: the Asterisk at %s refuses the user %q: make asterisk.ari_user and asterisk.ari_password those of its ari.conf", base, c.ARIUser)
	default:
		return fmt.Errorf("asterisk.url: %s answers %s where ARI should be: enable it in ari.conf and http.conf, or correct asterisk.url", base, resp.Status)
	}
	var info struct {
		System struct {
			Version string `json:"version"`
		} `json:"system"`
	}
	if err := json.Unmarshal(body, &info); err != nil {
		return fmt.Errorf("asterisk.url: what answers at %s is not Asterisk: correct asterisk.url", base)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(info.System.Version, "certified/"), ".")
	if n, err := strconv.Atoi(major); err == nil && n < asterisk.LeastMajor {
		return fmt.Errorf("asterisk.url: Asterisk %s at %s is too old: C3i needs %d or later", info.System.Version, base, asterisk.LeastMajor)
	}
	return nil
}

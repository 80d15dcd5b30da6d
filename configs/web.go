package configs

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

func checkWeb(w Web, add func(key, format string, args ...any)) {
	if strings.TrimSpace(w.Service) == "" {
		add("web.service", "must name the police service")
	}
	if u, err := url.Parse(w.Exit); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		add("web.exit", "%q is not the address of a web page", w.Exit)
	}
	if w.SessionLife < 5*time.Minute || w.SessionLife > 24*time.Hour {
		add("web.session_life", "must be between 5m and 24h")
	}
	if w.DraftLife < w.SessionLife || w.DraftLife > 31*24*time.Hour {
		add("web.draft_life", "must be between web.session_life and 744h")
	}
	if w.FileMB < 1 || w.FileMB > 500 {
		add("web.file_mb", "must be between 1 and 500")
	}
	if w.Files < 1 || w.Files > 50 {
		add("web.files", "must be between 1 and 50")
	}
	if w.Busy < 1 {
		add("web.busy", "must be at least 1")
	}
	if _, err := time.LoadLocation(w.Zone); err != nil || w.Zone == "" {
		add("web.zone", "%q is not a time zone such as Europe/London", w.Zone)
	}
	for i, p := range w.Proxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			if _, err := netip.ParseAddr(p); err != nil {
				add(fmt.Sprintf("web.proxies[%d]", i), "%q is not an address or a network such as 10.0.0.0/8", p)
			}
		}
	}
	names, keys := map[string]bool{}, map[string]bool{}
	for i, p := range w.Partners {
		at := fmt.Sprintf("web.partners[%d]", i)
		checkName(at+".name", p.Name, names, add)
		if p.Key == "" || strings.ContainsAny(p.Key, " ,=\"") || keys[p.Key] {
			add(at+".key", "%q is not a key of its own: letters, digits and - only", p.Key)
		}
		keys[p.Key] = true
		if len(p.Secret) < 32 {
			add(at+".secret", "must have at least 32 characters")
		}
	}
}

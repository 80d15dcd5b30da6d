package main

import (
	"fmt"
	"strings"
	"time"

	"example.org/c3i/configs"
)

// defaultText is a default as the manual writes it.
func defaultText(k configs.Key) string {
	switch v := k.Default.(type) {
	case string:
		if k.Name == "data_dir" {
			return "`/var/lib/c3i` for root, else `~/.local/share/c3i`"
		}
		if v == "" {
			return ""
		}
		return "`" + v + "`"
	case time.Duration:
		s := strings.TrimSuffix(v.String(), "0s")
		if s = strings.TrimSuffix(s, "0m"); s == "" || v < time.Minute {
			s = v.String()
		}
		if v >= time.Minute && v < time.Hour {
			s = fmt.Sprintf("%dm", int(v.Minutes()))
		}
		return "`" + s + "`"
	case []string:
		if len(v) == 0 {
			return ""
		}
		return "`" + strings.Join(v, ",") + "`"
	case []configs.Trunk:
		return "`local`, from 127.0.0.1"
	case []configs.Phone, []configs.Partner, []configs.IMAP, []configs.Route:
		return ""
	case []configs.Mailbox:
		return "`101@police.example.org`"
	}
	return fmt.Sprintf("`%v`", k.Default)
}

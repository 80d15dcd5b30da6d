package web

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"example.org/c3i/intake/web/form"
)

// fieldPage is what the templates of fields are given.
type fieldPage struct {
	Page  *page
	Field fieldView
	Hint  string
}

// funcs are what templates may call.
func funcs() template.FuncMap {
	return template.FuncMap{
		"lines": func(s string) []string { return strings.Split(s, "\n") },
		"dict":  func(p *page, f fieldView) fieldPage { return fieldPage{p, f, ""} },
		"dict3": func(p *page, f fieldView, hint string) fieldPage { return fieldPage{p, f, hint} },
		"add":   func(n int) string { return strconv.Itoa(n + 1) },
		"size":  size,
		// describe is the ids of what explains a field.
		"describe": func(f fieldView, hint string) string {
			var ids []string
			if hint != "" {
				ids = append(ids, f.ID+"-hint")
			}
			if f.Error != "" {
				ids = append(ids, f.ID+"-error")
			}
			return strings.Join(ids, " ")
		},
		"width": func(f fieldView) string {
			switch {
			case f.Kind == form.Time:
				return "input-5"
			case f.Kind == form.Postcode, f.Kind == form.Plate, f.Kind == form.Money:
				return "input-10"
			case f.Kind == form.Phone, f.Most <= 35:
				return "input-20"
			}
			return "input-30"
		},
		"inputType": func(f fieldView) string {
			switch f.Kind {
			case form.Phone:
				return "tel"
			case form.Email:
				return "email"
			}
			return "text"
		},
		"inputMode": func(f fieldView) string {
			if f.Kind == form.Money {
				return "decimal"
			}
			return ""
		},
	}
}

// size is a file's size as people read it.
func size(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d KB", (n+1023)>>10)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/(1<<20))
}

package email

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// cleaner keeps what formats text and drops what acts or fetches: no scripts,
// styles, forms or frames, and no address is loaded from anywhere. Images are
// those that came with the message (cid:). Links stay, to be shown in a sandbox
// that opens none of them by itself.
var cleaner = func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "div", "span", "hr", "pre", "blockquote", "code", "b", "strong", "i", "em", "u", "s", "strike", "small", "big", "sub", "sup",
		"h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption", "center", "font", "address")
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(?i:ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z0-9-]{1,20}$`)).Globally()
	p.AllowAttrs("align").Matching(bluemonday.CellAlign).OnElements("p", "div", "td", "th", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("title").Matching(bluemonday.Paragraph).Globally()
	p.AllowAttrs("src").Matching(regexp.MustCompile(`^(?i:cid):[^\s"'<>]{1,900}$`)).OnElements("img")
	p.AllowAttrs("alt").Matching(bluemonday.Paragraph).OnElements("img")
	p.AllowAttrs("width", "height").Matching(bluemonday.NumberOrPercent).OnElements("img", "table", "td", "th")
	p.AllowURLSchemes("http", "https", "mailto", "cid")
	p.RequireParseableURLs(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	p.SkipElementsContent("script", "style", "title", "head", "noscript", "template", "svg", "math", "object", "iframe")
	return p
}()

// CleanHTML makes HTML safe to show in a sandbox.
func CleanHTML(html string) string { return cleaner.Sanitize(html) }

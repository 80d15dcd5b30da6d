interface Removable { remove(): void }
interface AtRule extends Removable { params: string }
interface Declaration extends Removable { value: string }
interface Stylesheet {
  walkAtRules(name: string, each: (rule: AtRule) => void): void;
  walkDecls(each: (declaration: Declaration) => void): void;
}

/**
 * A PostCSS plugin that makes the design-system style sheets fit to ship outside
 * GOV.UK: without the GDS Transport font (its name gives way to a custom property
 * that theme.css sets), without the crest and the icons of components that are
 * not used here, and without the `\0` media queries for Internet Explorer.
 */
export function designSystem() {
  return {
    postcssPlugin: 'design-system',
    Once(sheet: Stylesheet) {
      sheet.walkAtRules('font-face', (rule) => rule.remove());
      sheet.walkAtRules('media', (rule) => {
        if (rule.params.includes('\\0')) rule.remove();
      });
      sheet.walkDecls((d) => {
        if (d.value.includes('/assets/images/')) d.remove();
        else if (d.value.includes('GDS Transport')) d.value = d.value.replace(/"?GDS Transport"?\s*,\s*arial\s*,\s*sans-serif/gi, 'var(--app-font)');
      });
    },
  };
}

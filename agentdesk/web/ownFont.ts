interface Removable { remove(): void }
interface AtRule extends Removable { name: string }
interface Declaration { prop: string; value: string }
interface Stylesheet {
  walkAtRules(name: string, each: (rule: AtRule) => void): void;
  walkDecls(filter: RegExp, each: (declaration: Declaration) => void): void;
}

/**
 * A PostCSS plugin that takes the GDS Transport font out of the design-system
 * style sheets: outside GOV.UK the components may be used, the font may not.
 * The name gives way to a custom property that base.css sets.
 */
export function ownFont() {
  return {
    postcssPlugin: 'own-font',
    Once(sheet: Stylesheet) {
      sheet.walkAtRules('font-face', (rule) => rule.remove());
      sheet.walkDecls(/^font(-family)?$/, (d) => {
        if (/GDS Transport/.test(d.value)) d.value = d.value.replace(/"?GDS Transport"?\s*,\s*arial\s*,\s*sans-serif/gi, 'var(--app-font)');
      });
    },
  };
}

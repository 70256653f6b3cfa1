// The style sheet and the one script of the report page, inline: the page needs nothing but itself.

export const STYLE = `
:root { color-scheme: light dark; --bg: #eef0f2; --panel: #ffffff; --line: #d5dade; --grid: #e6e9ec; --text: #1d2125; --muted: #59626b;
  --trend: #22282e; --band: #6c757d55; --red: #d42a2d; --orange: #f07f0e; --yellow: #f2c200; --blue: #3793f5;
  --red-ink: #b81a1d; --orange-ink: #9c4c00; --yellow-ink: #745c00; --blue-ink: #0a5cb0; --edge: #1d212566;
  font-family: system-ui, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif; font-size: 15px; line-height: 1.45; }
@media (prefers-color-scheme: dark) { :root { --bg: #1b1d20; --panel: #25282c; --line: #3f454c; --grid: #34393f; --text: #dfe2e5; --muted: #a9b0b7;
  --trend: #e8eaec; --band: #8f979f66; --red: #dd3033; --orange: #ff8c1a; --yellow: #ffd60a; --blue: #4aa3ff;
  --red-ink: #ff7476; --orange-ink: #ff9f40; --yellow-ink: #ffd60a; --blue-ink: #6db6ff; --edge: transparent; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--text); }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 64px; }
html[data-lang="zh"] [lang="en"], html[data-lang="en"] [lang="zh"] { display: none; }
header { display: flex; gap: 24px; align-items: flex-start; justify-content: space-between; margin-bottom: 20px; }
h1 { font-size: 26px; margin: 0 0 4px; letter-spacing: .01em; }
h2 { font-size: 17px; margin: 0 0 4px; }
h3 { font-size: 15px; margin: 0; font-weight: 600; }
header p, .note, .none { margin: 0; color: var(--muted); }
.note { margin-bottom: 10px; font-size: 13px; }
.language { display: flex; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; flex: none; }
.language button { font: inherit; padding: 4px 12px; border: 0; background: var(--panel); color: var(--muted); cursor: pointer; }
.language button[aria-pressed="true"] { background: var(--text); color: var(--panel); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 12px; margin-bottom: 16px; }
.tile { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 12px 14px; }
.tile b { display: block; overflow-wrap: anywhere; font-size: 18px; font-weight: 650; font-variant-numeric: tabular-nums; line-height: 1.25; }
.tile span { color: var(--muted); font-size: 13px; }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 16px 18px; margin-bottom: 16px; break-inside: avoid-page; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 16px; }
.pair > section { min-width: 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; margin-top: 8px; }
th { text-align: left; font-weight: 600; color: var(--muted); font-size: 13px; white-space: nowrap; }
th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--grid); vertical-align: top; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.figure { text-align: right; white-space: nowrap; padding-right: 18px; }
.figure:last-child { padding-right: 0; }
.instant { white-space: nowrap; }
tbody tr:last-child td { border-bottom: 0; }
.id { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; font-size: 13px; }
.name { color: var(--muted); font-size: 13px; }
.tag { display: inline-flex; gap: 6px; align-items: center; white-space: nowrap; vertical-align: middle; }
.mark { width: 18px; height: 18px; flex: none; }
.mark path { stroke: var(--edge); stroke-width: 1; }
.mark text { font: 700 15px system-ui, sans-serif; fill: #14171a; }
.mark.red text, .mark.blue text { fill: #fff; }
.mark.red path, rect.red { fill: var(--red); } .mark.orange path, rect.orange { fill: var(--orange); }
.mark.yellow path, rect.yellow { fill: var(--yellow); } .mark.blue path, rect.blue { fill: var(--blue); }
.bar { display: block; height: 8px; border-radius: 2px; background: var(--muted); min-width: 2px; }
.trend { margin-top: 18px; border-top: 1px solid var(--grid); padding-top: 14px; break-inside: avoid; }
.trend:first-of-type { border-top: 0; }
svg.chart { display: block; width: 100%; height: auto; margin-top: 4px; }
.chart text { font: 12px system-ui, "Noto Sans CJK SC", sans-serif; fill: var(--muted); }
.chart .grid { stroke: var(--grid); } .chart .axis { stroke: var(--line); }
.chart .line { fill: none; stroke: var(--trend); stroke-width: 1.4; stroke-linejoin: round; }
.chart .range { fill: var(--band); }
.chart .wash { opacity: .16; } .chart .strip { stroke: var(--edge); stroke-width: .5; }
.chart .limit { stroke-width: 1.4; stroke-dasharray: 6 4; fill: none; }
.chart .limit.red { stroke: var(--red-ink); } .chart .limit.orange { stroke: var(--orange-ink); }
.chart .limit.yellow { stroke: var(--yellow-ink); } .chart .limit.blue { stroke: var(--blue-ink); }
.chart text.red { fill: var(--red-ink); } .chart text.orange { fill: var(--orange-ink); } .chart text.yellow { fill: var(--yellow-ink); } .chart text.blue { fill: var(--blue-ink); }
.chart .column { fill: var(--muted); }
.change { font-weight: 600; white-space: nowrap; }
footer { color: var(--muted); font-size: 13px; }
@media (max-width: 800px) { .pair { grid-template-columns: 1fr; } main { padding: 16px 12px 48px; } }
@media print { :root { --bg: #fff; } .language { display: none; } main { max-width: none; padding: 0; } }
`

/** Chooses the language: the reader's own at first. */
export const SCRIPT = `
(() => {
  const root = document.documentElement
  const buttons = [...document.querySelectorAll('.language button')]
  const show = (lang) => {
    root.dataset.lang = lang
    root.lang = lang === 'zh' ? 'zh-CN' : 'en'
    for (const button of buttons) button.setAttribute('aria-pressed', String(button.value === lang))
  }
  for (const button of buttons) button.addEventListener('click', () => show(button.value))
  show(navigator.language.startsWith('zh') ? 'zh' : 'en')
})()
`

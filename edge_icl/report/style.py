"""What the page looks like, in light, in the dark and on paper.

A marker has a contrast of 3 to 1 at least with what is behind it, and text one of 4.5 to 1 (WCAG 2.2).
"""

from __future__ import annotations

LIGHT = {
    "paper": "#f6f5f2",
    "card": "#ffffff",
    "ink": "#22262b",
    "quiet": "#59626b",
    "line": "#dcd9d2",
    "accent": "#2a666a",
    "alarm": "#a8322a",
    "soft": "#f9ebe4",
    "rest": "#7d838a",
    "c0": "#2b7f86",
    "c1": "#c8553d",
    "c2": "#3f5fc0",
    "c3": "#a3740f",
    "c4": "#8d4394",
    "c5": "#55802a",
    "c6": "#c23f7c",
    "c7": "#7a5a41",
}
"""Colours by name: c0 to c7 are those of labels, and rest is that of labels without one of their own."""

DARK = {
    "paper": "#14171a",
    "card": "#1c2024",
    "ink": "#e9e7e2",
    "quiet": "#a3abb3",
    "line": "#363c43",
    "accent": "#7cc4c8",
    "alarm": "#f08d80",
    "soft": "#33231f",
    "rest": "#858c94",
    "c0": "#62c2c8",
    "c1": "#f0876c",
    "c2": "#8fa8f7",
    "c3": "#dfb04c",
    "c4": "#d08bd8",
    "c5": "#9fca63",
    "c6": "#f283b3",
    "c7": "#c4ab92",
}


def _variables(colours: dict[str, str]) -> str:
    """Return colours as variables of a style sheet."""
    return ";".join(f"--{name}:{value}" for name, value in colours.items())


_RULES = """
*,::before,::after{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%;scroll-padding-top:5.5rem}
body{margin:0;background:var(--paper);color:var(--ink);
 font:16px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif}
main,header,footer{max-width:76rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:3rem}
h1{font-size:clamp(2rem,5vw,3.25rem);line-height:1.1;letter-spacing:-.025em;margin:.15em 0 .35em;
 overflow-wrap:anywhere}
h2{font-size:1.35rem;letter-spacing:-.01em;line-height:1.25;margin:0 0 .25rem}
h3{font-size:1rem;margin:0}
p{margin:0}
ul,ol,dl,dd{list-style:none;margin:0;padding:0}
code,.id{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.84em}
section{margin:0 0 3.5rem}
.over{color:var(--accent);font-weight:600;letter-spacing:.02em;margin:0}
.quiet{color:var(--quiet)}
.small{font-size:.86rem}
.lead{margin-bottom:1.1rem;max-width:46rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px}
.figures{display:flex;flex-wrap:wrap;gap:.75rem 3rem;margin:1.25rem 0 2rem}
.figures div{display:flex;flex-direction:column-reverse}
.figures dd{font-size:2rem;font-weight:650;letter-spacing:-.02em;line-height:1.15;
 font-variant-numeric:tabular-nums}
.figures dt{color:var(--quiet);font-size:.9rem}
.copy{border-left:4px solid var(--alarm);background:var(--soft);border-radius:0 10px 10px 0;
 padding:.7rem 1rem;margin:0 0 3rem;font-size:.92rem;max-width:62rem}
.pair{display:grid;grid-template-columns:minmax(0,1fr) 23rem;gap:1.25rem;align-items:stretch}
.pair.one{grid-template-columns:minmax(0,1fr)}
figure{margin:0;position:relative;overflow:hidden}
#map{display:block;width:100%;height:auto;max-height:80vh;cursor:crosshair;touch-action:manipulation}
#map:focus-visible,button:focus-visible,input:focus-visible,summary:focus-visible,code:focus-visible,
 .side:focus-visible{outline:3px solid var(--accent);outline-offset:-3px}
.points{stroke:var(--card);stroke-width:14;paint-order:stroke;transition:opacity .15s}
.dim .points{opacity:.13}
.dim .points.on{opacity:1}
.dim .name,.dim .chosen,.dim .doubted{opacity:.25}
.chosen,.doubted,#hits,#here{fill:none}
.chosen{stroke:var(--ink);stroke-width:22}
.doubted{stroke:var(--alarm);stroke-width:22;stroke-dasharray:60 34}
#hits{fill:var(--ink);stroke:var(--card);stroke-width:14;paint-order:stroke}
#here{stroke:var(--ink);stroke-width:34}
.name{font-size:230px;font-weight:650;text-anchor:middle;fill:var(--ink);paint-order:stroke;
 stroke:var(--card);stroke-width:70px;stroke-linejoin:round;pointer-events:none}
.many .name{font-size:155px;font-weight:600;stroke-width:45px}
.many .chosen,.many .doubted{stroke-width:15}
.c0{fill:var(--c0)}.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}
.c4{fill:var(--c4)}.c5{fill:var(--c5)}.c6{fill:var(--c6)}.c7{fill:var(--c7)}.rest{fill:var(--rest)}
#tip{position:absolute;z-index:2;max-width:min(22rem,80%);padding:.5rem .75rem;border-radius:10px;
 background:var(--ink);color:var(--paper);font-size:.88rem;line-height:1.4;pointer-events:none;
 overflow-wrap:anywhere}
#tip b{display:block;font-weight:650}
figcaption{display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;padding:.65rem 1rem .8rem;
 border-top:1px solid var(--line)}
figcaption span{display:inline-flex;align-items:center;gap:.45rem}
.key{width:1.25rem;height:1.25rem;flex:none}
.key path{stroke-width:26}
.side{overflow:auto;padding:.5rem;height:0;min-height:100%}
.labels button{font:inherit;color:inherit;background:none;border:0;border-radius:9px;width:100%;
 text-align:start;
 padding:.4rem .6rem;display:grid;grid-template-columns:1.1rem minmax(0,1fr) 5.2rem;gap:.1rem .6rem;
 align-items:center}
.labels button:enabled{cursor:pointer}
.labels button:enabled:hover{background:var(--paper)}
.labels button[aria-pressed=true]{background:var(--paper);box-shadow:inset 0 0 0 2px var(--accent)}
.labels .word{overflow-wrap:anywhere;font-weight:550;line-height:1.3}
.labels .count{font-variant-numeric:tabular-nums;text-align:end}
.labels .right{font-size:.8rem;color:var(--quiet);text-align:end;font-variant-numeric:tabular-nums}
.labels .bar{grid-column:2}
.swatch{width:1.05rem;height:1.05rem;flex:none;vertical-align:-.15em}
.bar{display:block;width:100%;height:6px;border-radius:3px;fill:var(--accent)}
.bar .track{fill:var(--line)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1rem;
 margin:0 0 2rem}
.cards>li{padding:.95rem 1.1rem;display:flex;flex-direction:column;gap:.55rem;min-width:0}
.said{white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.45}
.cards .said{font-weight:550}
.run{display:block;background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:.4rem .6rem;
 overflow-wrap:anywhere;user-select:all;-webkit-user-select:all;cursor:copy}
.run.done{border-color:var(--accent);color:var(--accent)}
.last{margin-top:auto}
table{border-collapse:collapse;margin:.25rem 0 2rem}
th,td{text-align:start;padding:.35rem 1.5rem .35rem 0;border-bottom:1px solid var(--line);
 overflow-wrap:anywhere}
th{color:var(--quiet);font-weight:500;font-size:.86rem}
td:first-child{font-variant-numeric:tabular-nums}
.more>summary{cursor:pointer;color:var(--accent);font-weight:550;margin:0 0 1rem}
.find{position:sticky;top:0;z-index:1;background:var(--paper);padding:.75rem 0;display:flex;flex-wrap:wrap;
 gap:.4rem 1rem;align-items:center}
.find input{flex:1 1 16rem;min-width:0;font:inherit;font-size:1.05rem;color:inherit;background:var(--card);
 border:1px solid var(--quiet);border-radius:11px;padding:.7rem 1rem}
.find output{min-width:8rem;font-variant-numeric:tabular-nums}
.group{margin:0 0 1.5rem}
.group>h3{display:flex;align-items:baseline;gap:.55rem;padding:.5rem 0;overflow-wrap:anywhere}
.group>h3 .count{font-weight:400;color:var(--quiet);font-variant-numeric:tabular-nums}
.rows{overflow:hidden}
.rows>li{content-visibility:auto;contain-intrinsic-size:auto 3rem;padding:.6rem 1rem;
 border-top:1px solid var(--line);display:grid;grid-template-columns:minmax(0,1fr) auto;gap:.1rem 1.25rem;
 align-items:baseline}
.rows>li:focus{outline:none}
.rows>li:first-child{border-top:0}
.rows>li.here{box-shadow:inset 4px 0 0 var(--accent);background:var(--paper)}
.rows .about{grid-column:2;grid-row:1;display:flex;flex-wrap:wrap;gap:.1rem .75rem;align-items:baseline;
 justify-content:end;color:var(--quiet);font-size:.86rem;min-width:0}
.rows .about *{overflow-wrap:anywhere}
.rows .gives{grid-column:1;color:var(--quiet);padding-inline-start:1rem;
 border-inline-start:3px solid var(--line)}
.tag{border:1px solid var(--line);border-radius:99px;padding:0 .55em}
.mark{color:var(--accent);font-weight:600}
.mark.bad{color:var(--alarm)}
details.long>summary{cursor:pointer;list-style-position:inside}
details.long>summary .said{display:inline}
footer{border-top:1px solid var(--line);padding-top:1.5rem;padding-bottom:4rem;color:var(--quiet);
 font-size:.88rem;overflow-wrap:anywhere}
footer p{max-width:52rem;margin:0 0 .6rem}
[hidden]{display:none!important}
@media (max-width:60rem){
 .pair{grid-template-columns:minmax(0,1fr)}
 .side{height:auto;min-height:0;max-height:36rem}
}
@media (max-width:40rem){
 main,header,footer{padding-left:1rem;padding-right:1rem}
 header{padding-top:1.75rem}
 .figures{gap:.75rem 1.75rem}.figures dd{font-size:1.5rem}
 .name,.many .name{font-size:430px;stroke-width:120px}.name.wide{display:none}
 .rows>li{grid-template-columns:minmax(0,1fr)}
 .rows .about{grid-column:1;grid-row:auto;justify-content:start}
}
@media (prefers-reduced-motion:reduce){.points{transition:none}}
@media print{
 :root{%PRINT%}
 body{font-size:10pt;background:none}
 .find,#tip{display:none}
 .side{height:auto;max-height:none;overflow:visible}
 #map{max-height:12cm}
 .cards{grid-template-columns:1fr 1fr}
 .pair{display:block}.side{columns:3;margin-top:1rem;border:0}
 .labels li,.cards>li,.rows>li,.copy,figure{break-inside:avoid}
 .rows>li{content-visibility:visible}
 section{margin-bottom:1.5rem}
}
"""

STYLE = (
    f":root{{{_variables(LIGHT)}}}@media (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}"
    + _RULES.replace("%PRINT%", _variables(LIGHT))
)
"""The style sheet: nothing in it has an address."""

"""How the page looks, in daylight and in the dark.

Belongs here: the style sheet. Does not: the page.
"""

from __future__ import annotations

from tvdb_pipeline.operations.reports.palette import BAD, GOOD, OURS

STYLE = f"""
:root {{
  --ink: #1f2430; --soft: #5b6575; --ground: #f5f6f8; --card: #ffffff; --rule: #dde2e9; --link: #1f6699; --stripe: #f8f9fb;
  --met: {GOOD}; --met-ground: #e2f3e8; --met-ink: #1c6239; --missed: {BAD}; --missed-ground: #fbe6e3; --missed-ink: #97291e;
  --open: #a4adb9; --open-ground: #e9ecf1; --open-ink: #4c5667; --accent: {OURS};
}}
@media (prefers-color-scheme: dark) {{
  :root {{
    --ink: #e4e8ef; --soft: #9aa5b5; --ground: #12151b; --card: #1a1e26; --rule: #2f3643; --link: #7dbcec; --stripe: #1e232c;
    --met-ground: #173826; --met-ink: #8fdcaa; --missed-ground: #451f1b; --missed-ink: #ffb1a6; --open-ground: #2a303b;
    --open-ink: #b6c0cf; --open: #5f6979;
  }}
}}
* {{ box-sizing: border-box; }}
html {{ scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; }}
body {{
  margin: 0; background: var(--ground); color: var(--ink); display: grid; grid-template-columns: 17rem minmax(0, 1fr);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", Roboto, sans-serif;
}}
a {{ color: var(--link); text-decoration: none; }}
a:hover {{ text-decoration: underline; }}
nav {{
  position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1.25rem 3rem; background: var(--card);
  border-right: 1px solid var(--rule); font-size: .875rem; line-height: 1.4;
}}
nav .home {{ display: block; font-weight: 700; font-size: 1.05rem; color: var(--ink); margin-bottom: 1.2rem; }}
nav .report {{ display: block; font-weight: 600; color: var(--ink); margin: 1.1rem 0 .35rem; }}
nav ul {{ list-style: none; margin: 0; padding: 0; border-left: 2px solid var(--rule); }}
nav li a {{ display: block; padding: .16rem 0 .16rem .8rem; color: var(--soft); }}
nav li.level3 a {{ padding-left: 1.6rem; }}
nav li a:hover {{ color: var(--link); }}
main {{ padding: 2.5rem clamp(1rem, 4vw, 3.5rem) 5rem; max-width: 80rem; width: 100%; min-width: 0; }}
h1, h2, h3, h4, h5, h6 {{ line-height: 1.25; letter-spacing: -.012em; text-wrap: balance; }}
h1 {{ font-size: 2.1rem; margin: 0 0 .4rem; }}
h2 {{ font-size: 1.75rem; margin: 0 0 .6rem; }}
h3 {{ font-size: 1.2rem; margin: 2.4rem 0 .6rem; padding-bottom: .35rem; border-bottom: 1px solid var(--rule); }}
h4 {{ font-size: 1.05rem; margin: 2rem 0 .5rem; }}
h5, h6 {{ font-size: .95rem; margin: 1.4rem 0 .4rem; color: var(--soft); }}
p, li {{ max-width: 46rem; overflow-wrap: break-word; }}
p {{ margin: .7rem 0; }}
li {{ margin: .35rem 0; }}
header > p {{ font-size: 1.08rem; color: var(--soft); }}
article {{
  background: var(--card); border: 1px solid var(--rule); border-radius: .8rem; margin-top: 2.2rem;
  padding: clamp(1.1rem, 3vw, 2.4rem);
}}
article > h2 + p {{ font-size: 1.08rem; color: var(--soft); }}
code {{
  font: .86em/1.4 ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", monospace; background: var(--open-ground);
  padding: .1em .35em; border-radius: .3em; overflow-wrap: anywhere;
}}
.short code {{ white-space: nowrap; }}
.cards {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); gap: .9rem; margin-top: 1.5rem; }}
.card {{
  display: flex; flex-direction: column; gap: .65rem; padding: 1rem 1.1rem; background: var(--card); color: var(--ink);
  border: 1px solid var(--rule); border-radius: .7rem;
}}
.card:hover {{ border-color: var(--accent); text-decoration: none; }}
.bar {{ display: flex; gap: 2px; height: .5rem; border-radius: .25rem; overflow: hidden; }}
.bar .met {{ background: var(--met); }} .bar .missed {{ background: var(--missed); }} .bar .open {{ background: var(--open); }}
.words {{ display: flex; flex-wrap: wrap; gap: .3rem; }}
.badge {{
  display: inline-block; padding: .08em .6em; border-radius: 1em; font-size: .8rem; font-weight: 600; white-space: nowrap;
}}
.badge.met {{ background: var(--met-ground); color: var(--met-ink); }}
.badge.missed {{ background: var(--missed-ground); color: var(--missed-ink); }}
.badge.open {{ background: var(--open-ground); color: var(--open-ink); }}
.quiet {{ color: var(--soft); font-style: italic; }}
.scroll {{ overflow-x: auto; margin: .9rem 0; border: 1px solid var(--rule); border-radius: .5rem; }}
.narrow {{ width: fit-content; max-width: 100%; min-width: min(100%, 26rem); }}
.scroll:focus-visible {{ outline: 2px solid var(--accent); outline-offset: 2px; }}
table {{ border-collapse: collapse; width: 100%; font-size: .86rem; line-height: 1.45; font-variant-numeric: tabular-nums; }}
th, td {{ padding: .42rem .7rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }}
th {{ font-weight: 600; color: var(--soft); white-space: nowrap; background: var(--stripe); }}
td {{ min-width: 4.5rem; max-width: 34rem; }}
.short {{ white-space: nowrap; }} .middling {{ min-width: 8rem; }} .wide {{ min-width: 17rem; }}
.verdict {{ min-width: 11rem; }} .verdict.short {{ min-width: 0; }}
tbody tr:nth-child(even) td {{ background: var(--stripe); }}
tbody tr:last-child td {{ border-bottom: 0; }}
details {{ margin: .9rem 0; }}
summary {{ cursor: pointer; color: var(--link); font-size: .9rem; }}
figure {{ margin: 1.3rem 0; max-width: 46rem; }}
figure .scroll {{ margin: 0; padding: .9rem; background: var(--card); }}
figure svg {{ display: block; width: 100%; min-width: 32rem; height: auto; }}
figure text {{ font-family: inherit !important; }}
figcaption {{ color: var(--soft); font-size: .85rem; margin-top: .45rem; }}
@media (max-width: 62rem) {{
  html {{ scroll-padding-top: 4rem; }}
  body {{ display: block; }}
  nav {{
    height: auto; z-index: 1; display: flex; gap: 1.2rem; overflow-x: auto; padding: .75rem 1rem; border-right: 0;
    border-bottom: 1px solid var(--rule); white-space: nowrap;
  }}
  nav ul {{ display: none; }}
  nav .home, nav .report {{ margin: 0; font-size: .9rem; }}
  nav .report {{ font-weight: 500; color: var(--link); }}
  main {{ padding-top: 1.5rem; }}
  th:first-child, td:first-child {{ position: sticky; left: 0; background: var(--card); max-width: 9rem; white-space: normal; }}
  tbody tr:nth-child(even) td:first-child, th:first-child {{ background: var(--stripe); }}
  h1 {{ font-size: 1.7rem; }} h2 {{ font-size: 1.4rem; }}
}}
@media print {{ nav {{ display: none; }} body {{ display: block; }} article {{ border: 0; padding: 0; }} }}
"""

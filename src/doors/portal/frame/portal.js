/* Everything works without this. It shows what goes on without being asked, and says early what would be refused. */

document.body.classList.add('js-enabled')
if ('noModule' in HTMLScriptElement.prototype) document.body.classList.add('govuk-frontend-supported')
const { initAll } = await import('%system%')
initAll()

/* What goes on: its part of the page is fetched again, less often the longer it lasts. */
const live = () => document.querySelector('[data-live]')
let pause = 1000
const again = async () => {
  const part = live()
  if (!part) return
  try {
    const answer = await fetch(part.dataset.live, { headers: { 'x-portal-live': '1' }, redirect: 'error' })
    if (!answer.ok) return
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('live')
    if (!fresh) return
    if (fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes)
    if (!fresh.dataset.live) part.removeAttribute('data-live')
    for (const link of part.querySelectorAll('[data-live-link]')) link.hidden = true
  } catch {
    /* The link is there for whoever has lost the connection. */
  }
  pause = Math.min(pause * 1.1, 10000)
  setTimeout(again, pause)
}
if (live()) {
  for (const link of document.querySelectorAll('[data-live-link]')) link.hidden = true
  setTimeout(again, pause)
}

/* A file that is too large is told of before it is sent. */
for (const input of document.querySelectorAll('input[type=file][data-most-octets]')) {
  input.addEventListener('change', () => {
    const most = Number(input.dataset.mostOctets)
    const tooLarge = [...input.files].some(file => file.size > most)
    input.setCustomValidity(tooLarge ? `Choose a file of at most ${Math.floor(most / 1048576)} MB.` : '')
    if (tooLarge) input.reportValidity()
  })
}

/* A long table is narrowed to the rows that hold what is typed. */
for (const input of document.querySelectorAll('input[data-filter]')) {
  const rows = document.querySelectorAll(`#${CSS.escape(input.dataset.filter)} tbody tr`)
  const said = document.getElementById(`${input.id}-said`)
  input.closest('[hidden]')?.removeAttribute('hidden')
  input.addEventListener('input', () => {
    const sought = input.value.trim().toLowerCase()
    let shown = 0
    for (const row of rows) {
      row.hidden = !row.textContent.toLowerCase().includes(sought)
      if (!row.hidden) shown++
    }
    if (said) said.textContent = `${shown} of ${rows.length} rows`
  })
}

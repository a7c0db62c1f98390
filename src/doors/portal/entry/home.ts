/** The first page of whoever has signed in, and the first of each section: what there is to do. */

import { html } from '../frame/html.ts'
import { roleNames, sectionNames } from '../frame/layout.ts'
import { type Page, page, type Section, type Visit } from '../frame/page.ts'
import { heading, link, paragraph, subheading } from '../frame/pieces.ts'
import { maySee } from '../frame/visitor.ts'
import { sentence } from '../frame/words.ts'

const sections = Object.keys(sectionNames) as Section[]

export const home = page({
  path: '/home',
  title: 'Your pages',
  who: 'signed in',
  show(visit) {
    const { visitor } = visit
    return html`${heading('What you can do here', visitor!.roles.map(one => roleNames[one] ?? one).join(', '))}${sections.map(
      section => {
        const pages = openPages(visit, section)
        return pages.length === 0 ? '' : html`${subheading(sectionNames[section])}${entries(pages)}`
      },
    )}`
  },
})

/** `/repository` and so on, unless a page of its own stands there. */
export function sectionPages(pages: readonly Page[]): Page[] {
  return sections
    .filter(section => !pages.some(one => one.path === `/${section}`))
    .map(section =>
      page({
        path: `/${section}`,
        title: sectionNames[section],
        who: 'signed in',
        section,
        show(visit) {
          const open = openPages(visit, section)
          return html`${heading(sectionNames[section])}${open.length === 0 ? paragraph('There is nothing for your role here.') : entries(open)}`
        },
      }),
    )
}

function openPages({ door, visitor }: Visit, section: Section): readonly Page[] {
  return door.pages.filter(one => one.section === section && one.says !== undefined && maySee(visitor, one))
}

function entries(pages: readonly Page[]) {
  return html`<ul class="govuk-list govuk-list--spaced">${pages.map(one => html`<li>${link(one.path, one.title)}<br>${sentence(one.says!)}</li>`)}</ul>`
}

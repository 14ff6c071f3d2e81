/* xml.h - whether a text is well-formed XML, as far as our own files use it: elements that nest,
 * attributes in double quotes, the five entities and numbers, comments.
 */
#ifndef TESTS_TOOLS_XML_H
#define TESTS_TOOLS_XML_H

/* NULL, or where in `text` it is not. */
const char *xml_error(const char *text);

#endif

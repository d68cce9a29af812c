import { Box, chakra, Stack, Text } from "@chakra-ui/react";
import { Link, useLocation, useSearchParams } from "react-router-dom";

import { type Card, CARDS, isOn, problemsOf } from "./cards";
import { useFlowEditor } from "./useEditor";

const GROUPS: readonly Card["group"][] = ["Steps", "Run", "Flow"];

const Entry = chakra(Link);

/** The cards, with a mark on those that have errors or changes. */
export const CardNav = ({ active }: { active: string }) => (
  <Box
    as="nav"
    aria-label="Cards"
    css={{ "@media (min-width: 1024px)": { position: "sticky", top: "4.5rem" } }}
    flexShrink={0}
    width={{ base: "full", md: "14rem" }}
  >
    <Stack
      direction={{ base: "row", md: "column" }}
      flexWrap={{ base: "wrap", md: "nowrap" }}
      gap={{ base: 2, md: 4 }}
    >
      {GROUPS.map((group) => (
        <Stack gap={0} key={group} minWidth="11rem">
          <Text color="fg.muted" fontSize="xs" px={2}>
            {group}
          </Text>
          {CARDS.filter((card) => card.group === group).map((card) => (
            <NavEntry active={card.id === active} card={card} key={card.id} />
          ))}
        </Stack>
      ))}
    </Stack>
  </Box>
);

const NavEntry = ({ card, active }: { card: Card; active: boolean }) => {
  const { problems, changed, document } = useFlowEditor();
  const { pathname } = useLocation();
  const [params] = useSearchParams();
  const target = new URLSearchParams(params);
  target.set("card", card.id);
  const wrong = problemsOf(card, problems).length;
  const off = !isOn(card, document);
  return (
    <Entry
      _hover={{ bg: "bg.muted" }}
      alignItems="center"
      aria-current={active ? "page" : undefined}
      bg={active ? "brand.subtle" : undefined}
      borderRadius="md"
      color={active ? "brand.fg" : off ? "fg.muted" : "fg"}
      display="flex"
      fontSize="sm"
      fontWeight={active ? "semibold" : "normal"}
      gap={2}
      justifyContent="space-between"
      px={2}
      py={1}
      replace
      to={{ pathname, search: target.toString() }}
    >
      <chakra.span whiteSpace="nowrap">{card.title}</chakra.span>
      <chakra.span display="flex" fontSize="xs" gap={1}>
        {off && <span>off</span>}
        {changed.has(card.id) && (
          <chakra.span aria-label="changed" color="orange.fg" role="img" title="changed, not saved">
            ●
          </chakra.span>
        )}
        {wrong > 0 && (
          <chakra.span
            aria-label={wrong === 1 ? "1 error" : `${wrong} errors`}
            bg="red.solid"
            borderRadius="full"
            color="white"
            minWidth="1.25rem"
            px={1}
            role="img"
            textAlign="center"
          >
            {wrong}
          </chakra.span>
        )}
      </chakra.span>
    </Entry>
  );
};

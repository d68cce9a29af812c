import { useEffect, useState } from "react";

import { airflow } from "../api";

interface Connection {
  connection_id: string;
  conn_type: string;
}

/** Ids of Airflow's connections of some types, to offer; none where the user may not list them. */
export function useConnections(...types: string[]): string[] {
  const [all, setAll] = useState<Connection[]>([]);
  useEffect(() => {
    const leave = new AbortController();
    airflow<{ connections: Connection[] }>("connections?limit=200", { signal: leave.signal }).then(
      ({ connections }) => {
        setAll(connections);
      },
      () => undefined, // only a suggestion
    );
    return () => {
      leave.abort();
    };
  }, []);
  return all.filter(({ conn_type }) => types.includes(conn_type)).map(({ connection_id }) => connection_id);
}

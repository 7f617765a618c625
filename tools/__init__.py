"""Tools of the developers; they alone look into the services from outside."""
